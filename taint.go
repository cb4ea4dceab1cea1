package candor

// TaintEffect is what a taint does to instances that do not tolerate it.
type TaintEffect string

// The effects.
const (
	// NoSchedule keeps instances from being placed.
	NoSchedule TaintEffect = "NoSchedule"
	// PreferNoSchedule makes the node worse than others.
	PreferNoSchedule TaintEffect = "PreferNoSchedule"
	// NoExecute also evicts those that are there.
	NoExecute TaintEffect = "NoExecute"
)

// Taint keeps instances away from a node.
type Taint struct {
	Key    string      `json:"key"`
	Value  string      `json:"value,omitempty"`
	Effect TaintEffect `json:"effect"`
}

// String is "key=value:Effect".
func (t Taint) String() string {
	if t.Value == "" {
		return t.Key + ":" + string(t.Effect)
	}
	return t.Key + "=" + t.Value + ":" + string(t.Effect)
}

// Toleration lets an instance onto nodes with matching taints. An empty Key
// matches every key, an empty Value every value, an empty Effect every effect.
type Toleration struct {
	Key    string      `json:"key,omitempty"`
	Value  string      `json:"value,omitempty"`
	Effect TaintEffect `json:"effect,omitempty"`
}

// Tolerates says whether the toleration matches the taint.
func (t Toleration) Tolerates(taint Taint) bool {
	return (t.Key == "" || t.Key == taint.Key) && (t.Value == "" || t.Value == taint.Value) && (t.Effect == "" || t.Effect == taint.Effect)
}
