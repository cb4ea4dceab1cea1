package candor

// Reconciliation is what a controller last did about one object. It is the word of the
// server whose controllers run: what ended with its process is not remembered.
type Reconciliation struct {
	Controller string `json:"controller"`
	Object     Ref    `json:"object"`
	// Looked is the view that it looked at; At the cluster time, in nanoseconds.
	Looked Token `json:"lookedAt"`
	At     int64 `json:"at,string"`
	// Result is a word, DONE, AFTER, BLOCKED or FAILED; Message says what was found, also
	// where nothing was to do.
	Result  string `json:"result"`
	Message string `json:"message,omitempty"`
	// Revision is that of the newest write that came of it, 0 where none did.
	Revision uint64 `json:"revision,omitempty"`
	// Causes are the versions that it was called for.
	Causes []VersionRef `json:"causes,omitempty"`
	// Next is when it is looked at again: what it waits for.
	Next string `json:"next,omitempty"`
}

// ControllerNode is one controller in the graph of those that run in servers: what it
// watches and what it writes, as it declared.
type ControllerNode struct {
	Name string `json:"name"`
	// Duty is the one that its writes are made under.
	Duty    string           `json:"duty"`
	Inputs  []ControllerEdge `json:"inputs"`
	Outputs []ControllerEdge `json:"outputs"`
}

// ControllerEdge is a kind that a controller reads or writes. Mode says how: of an
// input what of it calls the controller, of an output which part is written and
// whether it is its own.
type ControllerEdge struct {
	Kind KindName `json:"kind"`
	Mode string   `json:"mode,omitempty"`
}
