package candor

// Verdict is what a decision decided.
type Verdict string

// The verdicts.
const (
	// VerdictPlaced: it goes to Node.
	VerdictPlaced Verdict = "PLACED"
	// VerdictNominated: Node will fit once Victims are gone.
	VerdictNominated Verdict = "NOMINATED"
	// VerdictNothingFits: it stays Pending.
	VerdictNothingFits Verdict = "NOTHING_FITS"
	// VerdictRefused: the turn refused the placement; Refusal says why.
	VerdictRefused Verdict = "REFUSED"
)

// Decision is a placement, or why there was none: a pure function of the state at
// Token, of the earlier proposals of its batch, and of Algorithm. It is stored with
// the version of the instance that it made; what it leaves out is computed again.
type Decision struct {
	// ID is "d-REVISION-PLACE": the revision of Token, and Place.
	ID string `json:"id"`
	// Token is the view that it was decided on, Place its place in the batch.
	Token Token `json:"token"`
	Place int   `json:"place,omitempty"`
	// Instance is the version that was decided about.
	Instance  uint64  `json:"instance"`
	Algorithm int     `json:"algorithm"`
	Verdict   Verdict `json:"verdict"`
	Node      string  `json:"node,omitempty"`
	// Considered is how many nodes there were; Reasons counts those that did not fit by
	// the first reason each.
	Considered int           `json:"considered"`
	Reasons    []ReasonCount `json:"reasons,omitempty"`
	// Best are the best few that fit, in order. Margin is by how much the first is
	// better than the second; where it is 0, TieBreak is the rule that chose.
	Best     []Candidate `json:"best,omitempty"`
	Margin   int64       `json:"margin,omitempty"`
	TieBreak string      `json:"tieBreak,omitempty"`
	Victims  []string    `json:"victims,omitempty"`
	// Refusal is the reason of the turn that refused the place on Node.
	Refusal string `json:"refusal,omitempty"`
	// Digest is of everything that was computed, also what is not stored.
	Digest string `json:"digest"`
}

// ReasonCount is how many nodes had a reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Nodes  int    `json:"nodes"`
}

// Candidate is a node that fits, with its score.
type Candidate struct {
	Node  string `json:"node"`
	Score int64  `json:"score"`
}
