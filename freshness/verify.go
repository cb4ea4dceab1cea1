package freshness

import (
	"fmt"

	"github.com/candor-plane/candor"
)

// BreachError is how an answer's witness breaks the contract of its read.
type BreachError struct {
	// Field is the witness's, as JSON spells it.
	Field     string
	Want, Got string
}

// Error says what was wanted and what was found.
func (b *BreachError) Error() string {
	return fmt.Sprintf("witness: %s is %s; want %s", b.Field, orAbsent(b.Got), b.Want)
}

func orAbsent(s string) string {
	if s == "" {
		return "absent"
	}
	return s
}

// Verify judges the witness of an answer by the rules that it was served by. It
// returns nil or a *BreachError. What only time can tell (a bound that waited on the
// network) is not its to judge: bounds refer to the moment of serving.
func Verify(q *Request, w *candor.Witness) error {
	switch {
	case w.NodeID == "" || w.BootID == "":
		return &BreachError{Field: "nodeID", Want: "a node and its boot", Got: ""}
	case w.Requested != q.Class:
		return &BreachError{Field: "requestedFreshness", Want: string(q.Class), Got: string(w.Requested)}
	case w.Served != q.Class:
		return &BreachError{Field: "servedFreshness", Want: string(q.Class), Got: string(w.Served)}
	}
	n := nodeOf(q, w)
	v := Decide(q, &n)
	switch {
	case v.Do != Serve:
		return broken(q, w, v)
	case v.Class != w.Class:
		return &BreachError{Field: "servingClass", Want: string(v.Class), Got: string(w.Class)}
	case v.Mechanism != w.Mechanism:
		return &BreachError{Field: "mechanism", Want: string(v.Mechanism), Got: string(w.Mechanism)}
	default:
		return nil
	}
}

// AsBestEffort labels the witness of what a node says without asking anyone as
// a BEST_EFFORT read of the same view would be.
func AsBestEffort(w *candor.Witness) {
	q := Request{Class: candor.FreshnessBestEffort}
	n := nodeOf(&q, w)
	if n.Proof != nil {
		n.Proof.Current = w.Mode != candor.ModeRootUnavailable
	}
	v := Decide(&q, &n)
	w.Served, w.Class, w.Mechanism = q.Class, v.Class, v.Mechanism
}

// nodeOf is the node that the witness says it was.
func nodeOf(q *Request, w *candor.Witness) Node {
	n := Node{
		View: true, Applied: w.ServedToken, Leads: w.ServedByLeader, Waited: true,
		Condition: Condition{CatchUp: w.CatchUp, Action: w.CatchUpAction, Mode: w.Mode, Reason: ModeReason(w.DegradedReason)},
		Lag:       w.RootLag, Probe: Probe{Step: Failed}, ReadIndex: ReadIndex{Step: Failed},
	}
	if w.StalenessBound != nil {
		// Where the window ends is the node's own policy.
		n.Proof = &Proof{Age: *w.StalenessBound, Current: w.Mechanism == candor.MechanismProvenView}
	}
	if q.Class == candor.FreshnessStrong && (w.Mechanism == candor.MechanismLeaderReadIndex || w.Mechanism == candor.MechanismFollowerReadIndex) {
		n.ReadIndex.Step = Done
	}
	return n
}

// broken names the field that the rule rests on.
func broken(q *Request, w *candor.Witness, v Verdict) *BreachError {
	switch v.Reason {
	case candor.ReasonViewOnly:
		return &BreachError{Field: "degradedMode", Want: "none that refuses " + string(q.Class), Got: string(w.Mode)}
	case candor.ReasonNotLeader:
		return &BreachError{Field: "servedByLeader", Want: "true", Got: "false"}
	case candor.ReasonLeadershipUnconfirmed:
		return &BreachError{Field: "mechanism", Want: "a read index", Got: string(w.Mechanism)}
	case candor.ReasonBootstrapRequired, candor.ReasonRecovering, candor.ReasonViewUnavailable:
		return &BreachError{Field: "catchUpState", Want: "none that refuses " + string(q.Class), Got: string(w.CatchUp)}
	case candor.ReasonRootUnavailable, candor.ReasonStalenessExceeded:
		got := ""
		if w.StalenessBound != nil {
			got = w.StalenessBound.String()
		}
		return &BreachError{Field: "stalenessBound", Want: "at most " + q.MaxStaleness.String(), Got: got}
	case candor.ReasonRootLagExceeded:
		got := ""
		if w.RootLag != nil {
			got = fmt.Sprint(*w.RootLag)
		}
		return &BreachError{Field: "rootLag", Want: fmt.Sprintf("at most %d", *q.MaxLag), Got: got}
	default:
		return &BreachError{Field: "servedRootToken", Want: "at least " + q.Required.String(), Got: w.ServedToken.String()}
	}
}
