package candor

// Cause is the provenance of one object version: who made it, under which
// right, having read what, and why.
type Cause struct {
	Actor string `json:"actor"`
	// Duty and Era are set when the write was made under a tenure.
	Duty string `json:"duty,omitempty"`
	Era  uint64 `json:"era,omitempty"`
	// ReadToken is what the actor had read; zero when it did not say.
	ReadToken Token `json:"readToken,omitzero"`
	// PriorRevision is the version of the same object that this one replaced.
	PriorRevision uint64 `json:"priorRevision,omitempty"`
	// Reason is an UPPER_SNAKE word, Message one sentence.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Because is the version of another object that led to this one.
	Because *VersionRef `json:"because,omitempty"`
}

// VersionRef names one version of one object.
type VersionRef struct {
	Ref
	Revision uint64 `json:"revision"`
}
