package output

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor"
)

// Footer says what an answer is worth, in one line:
//
//	as of 7:1042 · leader n1 · strong, confirmed · HEALTHY
//	as of 7:1042 · follower n2 · bounded, proven 40 ms · HEALTHY
//	as of 7:1040 · node n3 · best effort, unproven, DEGRADED · ROOT_UNAVAILABLE
//	as of 7:1040 · node n3 · bounded refused, proven 1.3 s, lag at least 2 · ROOT_LAGGING (PROOF_AGE)
//
// A part that the witness does not prove is left out or called unproven.
func Footer(w candor.Witness) string {
	at := "position unproven"
	if !w.ServedToken.IsZero() {
		at = "as of " + Position(w.ServedToken)
	}
	return joinParts([]string{at, place(w), worth(w), mode(w)})
}

// Accepted says where a write went, in one line:
//
//	accepted at 7:1043, revision 978 · leader n1 · HEALTHY
func Accepted(token candor.Token, w candor.Witness) string {
	at := "accepted, position unproven"
	if !token.IsZero() {
		at = fmt.Sprintf("accepted at %s, revision %d", Position(token), token.Revision)
	}
	return joinParts([]string{at, place(w), mode(w)})
}

// Position is a token's place in the log, "7:1042"; "unproven" for none.
func Position(t candor.Token) string {
	if t.IsZero() {
		return "unproven"
	}
	return fmt.Sprintf("%d:%d", t.Term, t.Index)
}

func joinParts(parts []string) string {
	kept := parts[:0]
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, " · ")
}

// place names the node and its role as far as the answer shows it. A node that
// answered from a proven view or a follower read is a follower, unless it takes
// itself for the leader and did not have to prove it; a mere view shows no role.
func place(w candor.Witness) string {
	name := Clean(w.NodeName)
	if name == "" {
		name = Clean(w.NodeID)
	}
	if name == "" {
		return ""
	}
	switch {
	case w.ServedByLeader:
		return "leader " + name
	case w.Leader != nil && w.Leader.ServerID == w.NodeID:
	case w.Mechanism == candor.MechanismProvenView || w.Mechanism == candor.MechanismFollowerReadIndex:
		return "follower " + name
	}
	return "node " + name
}

func worth(w candor.Witness) string {
	var words []string
	switch w.Served {
	case candor.FreshnessStrong:
		words = append(words, "strong", confirmation(w))
	case candor.FreshnessBounded:
		words = append(words, "bounded", bound(w))
	case candor.FreshnessBestEffort:
		words = append(words, "best effort", bound(w))
	default:
		words = append(words, refused(w)+bound(w))
	}
	if w.RootLag != nil && *w.RootLag > 0 {
		words = append(words, fmt.Sprintf("lag at least %d", *w.RootLag))
	}
	if w.Class == candor.ServingDegraded {
		words = append(words, string(w.Class))
	}
	return strings.Join(words, ", ")
}

// refused says of a witness without a served class what was asked for.
func refused(w candor.Witness) string {
	switch w.Requested {
	case candor.FreshnessStrong:
		return "strong refused, "
	case candor.FreshnessBounded:
		return "bounded refused, "
	case candor.FreshnessBestEffort:
		return "best effort refused, "
	}
	return ""
}

func confirmation(w candor.Witness) string {
	if w.Mechanism == candor.MechanismLeaderReadIndex || w.Mechanism == candor.MechanismFollowerReadIndex {
		return "confirmed"
	}
	return "unproven"
}

func bound(w candor.Witness) string {
	if w.StalenessBound == nil {
		return "unproven"
	}
	return "proven " + Span(*w.StalenessBound)
}

func mode(w candor.Witness) string {
	if w.Mode == "" {
		return ""
	}
	if w.DegradedReason != "" && w.Mode != candor.ModeHealthy {
		return string(w.Mode) + " (" + Clean(w.DegradedReason) + ")"
	}
	return string(w.Mode)
}
