package freshness

import "github.com/candor-plane/candor"

// Do is what to do about a request now.
type Do uint8

// What there is to do. After Confirm, Probe and Wait the node is looked at
// again and decided anew.
const (
	// Serve the view that was looked at.
	Serve Do = iota
	// Reject with the verdict's reason.
	Reject
	// Confirm establishes a read index: by a majority on the leader, by asking
	// the leader elsewhere.
	Confirm
	// ProbeLeader asks for a new proof, once.
	ProbeLeader
	// WaitFor the view to apply the verdict's index, until the caller's deadline.
	WaitFor
	// WaitWithin is WaitFor, but no longer than the proof at hand stays inside the
	// staleness that the request allows.
	WaitWithin
)

// String names what to do as the tables and traces do.
func (d Do) String() string {
	return [...]string{"SERVE", "REJECT", "CONFIRM", "PROBE", "WAIT", "WAIT"}[d]
}

// Verdict is what Decide says.
type Verdict struct {
	Do     Do
	Reason candor.Reason
	// Index is what to wait for.
	Index uint64
	// Class and Mechanism are of an answer to serve.
	Class     candor.ServingClass
	Mechanism candor.Mechanism
}

func reject(reason candor.Reason) Verdict { return Verdict{Do: Reject, Reason: reason} }

// Decide applies the serving rules in their order; the first that fails decides.
func Decide(q *Request, n *Node) Verdict {
	switch {
	case !n.View: // 1
		return reject(candor.ReasonViewUnavailable)
	case q.Class == candor.FreshnessBestEffort:
		return decideBestEffort(q, n)
	case n.Condition.Mode == candor.ModeViewOnly: // 2
		return reject(candor.ReasonViewOnly)
	case q.Class == candor.FreshnessBounded:
		return decideBounded(q, n)
	default:
		return decideStrong(q, n)
	}
}

func decideStrong(q *Request, n *Node) Verdict {
	switch {
	case !n.Leads && !q.FollowerReadIndex: // 3
		return reject(candor.ReasonNotLeader)
	case n.ReadIndex.Step == NotYet: // 4
		return Verdict{Do: Confirm}
	case n.ReadIndex.Step == Failed:
		return reject(candor.ReasonLeadershipUnconfirmed)
	}
	if reason, bad := unsettled(n); bad { // 5
		return reject(reason)
	}
	if v, wait := reach(max(n.ReadIndex.Index, q.Required.Index), n); wait { // 6, 7
		return v
	}
	if v, missing := covers(q, n); missing {
		return v
	}
	v := Verdict{Do: Serve, Class: candor.ServingAuthoritative, Mechanism: candor.MechanismFollowerReadIndex}
	if n.Leads {
		v.Mechanism = candor.MechanismLeaderReadIndex
	}
	return v
}

func decideBounded(q *Request, n *Node) Verdict {
	if reason, bad := unsettled(n); bad { // 5
		return reject(reason)
	}
	if n.Proof == nil || n.Proof.Age > q.MaxStaleness { // 6
		return unproven(n)
	}
	if v, wait := reach(q.Required.Index, n); wait { // 7
		return v
	}
	if v, missing := covers(q, n); missing {
		return v
	}
	if q.MaxLag != nil && (n.Lag == nil || *n.Lag > *q.MaxLag) { // 8
		return reject(candor.ReasonRootLagExceeded)
	}
	return Verdict{Do: Serve, Class: candor.ServingBoundedStale, Mechanism: candor.MechanismProvenView}
}

// unproven is what becomes of a bounded read without a good enough proof.
func unproven(n *Node) Verdict {
	switch {
	case n.Probe.Step == NotYet:
		return Verdict{Do: ProbeLeader}
	case n.Probe.Step == Done && n.Applied.Index < n.Probe.Index && !n.Waited:
		return Verdict{Do: WaitWithin, Index: n.Probe.Index}
	case n.Probe.Step == Done, n.Proof != nil && n.Proof.Current:
		return reject(candor.ReasonStalenessExceeded)
	default:
		return reject(candor.ReasonRootUnavailable)
	}
}

func decideBestEffort(q *Request, n *Node) Verdict {
	if v, wait := reach(q.Required.Index, n); wait { // 7
		return v
	}
	if v, missing := covers(q, n); missing {
		return v
	}
	_, bad := unsettled(n)
	if bad || n.Condition.Mode == candor.ModeViewOnly || n.Proof == nil || !n.Proof.Current {
		return Verdict{Do: Serve, Class: candor.ServingDegraded, Mechanism: candor.MechanismView}
	}
	return Verdict{Do: Serve, Class: candor.ServingBoundedStale, Mechanism: candor.MechanismProvenView}
}

// unsettled is rule 5: a view that may be far from the root.
func unsettled(n *Node) (candor.Reason, bool) {
	switch n.Condition.CatchUp {
	case candor.CatchUpBootstrapRequired:
		return candor.ReasonBootstrapRequired, true
	case candor.CatchUpRecovering:
		return candor.ReasonRecovering, true
	case candor.CatchUpUnavailable:
		return candor.ReasonViewUnavailable, true
	default:
		return "", false
	}
}

// reach waits for an index, once.
func reach(index uint64, n *Node) (Verdict, bool) {
	switch {
	case n.Applied.Index >= index:
		return Verdict{}, false
	case n.Waited:
		return reject(candor.ReasonRootTokenNotReached), true
	default:
		return Verdict{Do: WaitFor, Index: index}, true
	}
}

// covers refuses a view that has passed the required index without its revision:
// the token is not of this history.
func covers(q *Request, n *Node) (Verdict, bool) {
	if n.Applied.Covers(q.Required) {
		return Verdict{}, false
	}
	return reject(candor.ReasonTokenConflict), true
}
