package history

import (
	"fmt"

	"github.com/candor-plane/candor"
)

// Contract checks what an answer says about itself against what was asked and
// against itself: no silent downgrade, no label better than its evidence, the
// required token covered, no lag without a proof, and nothing that the client
// itself had to refuse. It judges the answers of reads that carry a witness; it
// needs no other operation, so a violation is one operation.
//
// It does not use the rules of package freshness, on purpose: a mistake in them
// would be made twice, and agree with itself.
type Contract struct {
	// Least is how many answers must have been judged to say PASS.
	Least int
}

// Check implements [Checker].
func (c Contract) Check(h *History) Report {
	r := Report{Property: "witnesses keep the contract"}
	for o := range h.All() {
		switch {
		case o.Reason == candor.ReasonInvariantViolated, o.Kind.Reads() && o.Reason == candor.ReasonTokenConflict:
			r.Checked++
			r.violate(func() string { return "the client had to refuse the answer: " + o.Message }, o)
		case !o.Kind.Reads() || o.Outcome != OutcomeOK:
		case o.Witness == nil:
			r.leave("answers without a witness")
		default:
			r.Checked++
			if breach := o.breach(); breach != "" {
				r.violate(func() string { return breach }, o)
			}
		}
	}
	return r.conclude(c.Least)
}

// breach says how a read's answer breaks its contract; empty when it does not.
func (o *Operation) breach() string {
	for _, judge := range []func(*candor.Witness) string{o.judgeClass, o.judgeEvidence, o.judgeLag, o.judgeAsked} {
		if breach := judge(o.Witness); breach != "" {
			return breach
		}
	}
	return ""
}

// judgeClass: served as asked, and said so.
func (o *Operation) judgeClass(w *candor.Witness) string {
	class := o.Freshness()
	switch {
	case w.NodeID == "" || w.BootID == "":
		return "the witness names no node or no boot"
	case w.Requested != "" && w.Requested != class:
		return fmt.Sprintf("%s was asked for, and the witness says that %s was", class, w.Requested)
	case w.Served != "" && w.Served != class:
		return fmt.Sprintf("%s was asked for and %s served, without a refusal", class, w.Served)
	default:
		return ""
	}
}

// judgeEvidence: a label is no better than what it rests on.
func (o *Operation) judgeEvidence(w *candor.Witness) string {
	confirmed := w.Mechanism == candor.MechanismLeaderReadIndex || w.Mechanism == candor.MechanismFollowerReadIndex
	switch class := o.Freshness(); {
	case w.StalenessBound != nil && *w.StalenessBound < 0:
		return fmt.Sprintf("a staleness bound of %s is claimed", *w.StalenessBound)
	case class == candor.FreshnessStrong && w.Class != candor.ServingAuthoritative:
		return fmt.Sprintf("a STRONG answer is labelled %q: want AUTHORITATIVE", w.Class)
	case class == candor.FreshnessBounded && w.Class == candor.ServingDegraded:
		return "a BOUNDED answer is labelled DEGRADED"
	case class == candor.FreshnessBestEffort && w.Class == candor.ServingAuthoritative:
		return "a BEST_EFFORT answer is labelled AUTHORITATIVE"
	case w.Class == candor.ServingAuthoritative && !confirmed:
		return fmt.Sprintf("an AUTHORITATIVE answer rests on %q: want a read index", w.Mechanism)
	case w.Class == candor.ServingBoundedStale && w.StalenessBound == nil:
		return "a BOUNDED_STALE answer claims no staleness bound"
	case w.Class == candor.ServingBoundedStale && w.Mechanism == candor.MechanismView:
		return "a BOUNDED_STALE answer rests on VIEW, which proves nothing"
	case w.Mechanism == candor.MechanismLeaderReadIndex && !w.ServedByLeader:
		return "an answer by LEADER_READ_INDEX is not served by the leader"
	default:
		return ""
	}
}

// judgeLag: a lag is a lower bound of what a proof showed. Lag 0 says that the
// proof is applied, so it comes with the proof's age; a lag below what the
// witness itself proves is none.
func (o *Operation) judgeLag(w *candor.Witness) string {
	if w.RootLag == nil {
		return ""
	}
	switch lag := *w.RootLag; {
	case lag == 0 && w.StalenessBound == nil:
		return "lag 0 is claimed without a staleness bound: nothing was heard, or it was not said when"
	case w.CurrentToken != nil && w.CurrentToken.Index > w.ServedToken.Index+lag:
		return fmt.Sprintf("lag %d is claimed at %s, and the root proven to be at %s", lag, w.ServedToken, *w.CurrentToken)
	default:
		return ""
	}
}

// judgeAsked: the bounds that were asked for.
func (o *Operation) judgeAsked(w *candor.Witness) string {
	if o.Freshness() == candor.FreshnessBounded {
		switch {
		case w.StalenessBound == nil:
			return "a BOUNDED answer claims no staleness bound"
		case *w.StalenessBound > o.bound():
			return fmt.Sprintf("an answer may be %s old, and %s were allowed", *w.StalenessBound, o.bound())
		}
	}
	switch {
	case o.Asked == nil:
		return ""
	case !o.Token.Covers(o.Asked.Required):
		return fmt.Sprintf("%s was served, and %s was required", o.Token, o.Asked.Required)
	case o.Asked.MaxLag == nil || o.Freshness() != candor.FreshnessBounded:
		return ""
	case w.RootLag == nil:
		return fmt.Sprintf("a lag of at most %d was allowed, and none is claimed", *o.Asked.MaxLag)
	case *w.RootLag > *o.Asked.MaxLag:
		return fmt.Sprintf("a lag of %d is claimed, and %d was allowed", *w.RootLag, *o.Asked.MaxLag)
	default:
		return ""
	}
}
