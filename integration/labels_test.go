package integration

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/verify/history"
)

// readRefusals are the reasons that the serving rules refuse a read with
// (docs/protocol.md, section 3), by class.
var readRefusals = map[candor.Freshness][]candor.Reason{
	candor.FreshnessStrong: {
		candor.ReasonViewUnavailable, candor.ReasonViewOnly, candor.ReasonNotLeader, candor.ReasonLeadershipUnconfirmed,
		candor.ReasonBootstrapRequired, candor.ReasonRecovering, candor.ReasonRootTokenNotReached,
	},
	candor.FreshnessBounded: {
		candor.ReasonViewUnavailable, candor.ReasonViewOnly,
		candor.ReasonBootstrapRequired, candor.ReasonRecovering, candor.ReasonRootUnavailable, candor.ReasonStalenessExceeded,
		candor.ReasonRootTokenNotReached, candor.ReasonRootLagExceeded,
	},
	candor.FreshnessBestEffort: {candor.ReasonViewUnavailable, candor.ReasonRootTokenNotReached},
}

// leadersRefusals are of a BOUNDED read that only a leader serves.
var leadersRefusals = []candor.Reason{candor.ReasonNotLeader, candor.ReasonLeadershipUnconfirmed}

// writeRefusals say that a write was surely not made, or that this is not known.
// UNAVAILABLE may be of the client's own network: it is told of servers that it
// is not allowed to reach.
var writeRefusals = []candor.Reason{
	candor.ReasonNotLeader, candor.ReasonLeadershipUnconfirmed, candor.ReasonOutcomeUnknown, candor.ReasonTimedOut,
	candor.ReasonUnavailable, candor.ReasonQueueSaturated, candor.ReasonRequestExpired,
}

// absence is a time in which a server's process is dead or stopped, or has just
// come back and is not connected to yet; to is 0 while it lasts.
type absence struct {
	server   string
	from, to int64
}

// reconnected bounds how long a client takes to find a server that is back.
const reconnected = 1500 * time.Millisecond

func (a *absence) touches(o *history.Operation) bool {
	server := serverOf(o.Client)
	return (server == "" || server == a.server) && o.Return >= a.from && (a.to == 0 || o.Invoke <= a.to+int64(reconnected))
}

// labelled wants every answer to be labelled as its class demands and every
// refusal to come with its reason, from a server: where none refused, the one
// that was asked was absent, or the caller's own deadline ended a wait for the
// token of its session.
func labelled(t *testing.T, h *history.History, absences []absence) {
	t.Helper()
	wrong := map[string]int{}
	for o := range h.All() {
		fault := labelFault(o)
		if fault == noAnswer && slices.ContainsFunc(absences, func(a absence) bool { return a.touches(o) }) {
			continue
		}
		if fault == "" {
			continue
		}
		if wrong[fault]++; wrong[fault] <= 3 {
			t.Errorf("%s: %s, witness %+v", fault, o, o.Witness)
		}
	}
	for fault, count := range wrong {
		t.Logf("%d times: %s", count, fault)
	}
}

const noAnswer = "a server that runs did not answer"

// labelFault is what is wrong with the label of an answer or a refusal; empty
// for nothing.
func labelFault(o *history.Operation) string {
	class := o.Freshness()
	switch {
	case o.Outcome == history.OutcomeOK:
		return answerFault(o, class)
	case class == "" && slices.Contains(writeRefusals, o.Reason):
		return ""
	case class == "":
		return "a write is refused without a reason that writes have"
	// A STRONG read waits for its read index as for a token.
	case o.Witness != nil && o.Reason == candor.ReasonRootTokenNotReached && o.Sessionless && class != candor.FreshnessStrong:
		return "a token was not reached that nobody required"
	case o.Witness != nil && slices.Contains(readRefusals[class], o.Reason):
		return ""
	case o.Witness != nil && class == candor.FreshnessBounded && !followersProve && slices.Contains(leadersRefusals, o.Reason):
		return ""
	case o.Witness != nil:
		return "a read is refused without a reason of its class"
	case o.Reason == candor.ReasonTimedOut && !o.Sessionless:
		return ""
	default:
		return noAnswer
	}
}

func answerFault(o *history.Operation, class candor.Freshness) string {
	w := o.Witness
	bounded := w.Class == candor.ServingBoundedStale && w.StalenessBound != nil
	switch {
	case class == "":
		return ""
	case w.Requested != class || w.Served != class:
		return "an answer of another class than asked for"
	case class == candor.FreshnessStrong && w.Class != candor.ServingAuthoritative:
		return "a STRONG answer that is not AUTHORITATIVE"
	case class == candor.FreshnessBounded && (!bounded || *w.StalenessBound > history.DefaultStaleness):
		return "a BOUNDED answer without a bound that holds"
	case class == candor.FreshnessBestEffort && !bounded && w.Class != candor.ServingDegraded:
		return "a BEST_EFFORT answer that claims more than it can"
	default:
		return ""
	}
}

// window is a time of the record.
type window struct{ from, to int64 }

// asked are the reads of one server and class, by the clients that it has to
// itself, whose whole call lies in the window.
func (w window) asked(h *history.History, server string, class candor.Freshness) []*history.Operation {
	var in []*history.Operation
	for o := range h.All() {
		if o.Client == server && o.Freshness() == class && o.Invoke >= w.from && o.Return <= w.to {
			in = append(in, o)
		}
	}
	return in
}

func answered(operations []*history.Operation) []*history.Operation {
	return slices.DeleteFunc(slices.Clone(operations), func(o *history.Operation) bool { return o.Outcome != history.OutcomeOK })
}

// leastAnswers make a window worth judging.
const leastAnswers = 10

// cutOff wants a server that has no way to a leader, or none back, to have known
// its place for the whole of the window: nothing STRONG; BOUNDED only by a proof
// from before, and refused once that is too old; BEST_EFFORT all the time, and
// DEGRADED as soon as no proof is left within the policy's window.
func cutOff(t *testing.T, h *history.History, w window, server string) {
	t.Helper()
	strong := w.asked(h, server, candor.FreshnessStrong)
	if got := answered(strong); len(got) > 0 {
		t.Errorf("%s is cut off and served %d STRONG reads, the first: %s", server, len(got), got[0])
	}
	if len(strong) == 0 {
		t.Errorf("INCONCLUSIVE: %s was asked for nothing STRONG while it was cut off", server)
	}
	late := 0
	for _, o := range w.asked(h, server, candor.FreshnessBounded) {
		since := time.Duration(o.Invoke - w.from)
		switch {
		case o.Outcome == history.OutcomeOK && since > history.DefaultStaleness:
			t.Errorf("%s is cut off for %s and serves BOUNDED: %s", server, since, o)
		case o.Outcome == history.OutcomeOK && !admits(o, since):
			t.Errorf("%s is cut off for %s and claims a bound of %s: %s", server, since, o.Witness.StalenessBound, o)
		case o.Outcome != history.OutcomeOK && since > history.DefaultStaleness:
			late++
		}
	}
	if time.Duration(w.to-w.from) > 2*history.DefaultStaleness && late == 0 {
		t.Errorf("INCONCLUSIVE: %s was asked for nothing BOUNDED after its bound had lapsed", server)
	}
	effort := w.asked(h, server, candor.FreshnessBestEffort)
	if got := answered(effort); len(got) < leastAnswers || len(got) < len(effort) {
		t.Errorf("%s is cut off and answered %d of %d BEST_EFFORT reads; want all, and at least %d", server, len(got), len(effort), leastAnswers)
	}
	for _, o := range answered(effort) {
		since := time.Duration(o.Invoke - w.from)
		if o.Witness.Class != candor.ServingDegraded && (since > freshness.DefaultPolicy().Window || !admits(o, since)) {
			t.Errorf("%s is cut off for %s and labels BEST_EFFORT %s: %s", server, since, o.Witness.Class, o)
		}
	}
}

// admits says whether the witness owns up to what its server cannot know since a
// cut: no proof is younger than that.
func admits(o *history.Operation, since time.Duration) bool {
	return o.Witness.StalenessBound != nil && *o.Witness.StalenessBound >= since
}

// silent wants a server that runs to serve nothing but BEST_EFFORT in the window.
func silent(t *testing.T, h *history.History, w window, server string) {
	t.Helper()
	for _, class := range []candor.Freshness{candor.FreshnessStrong, candor.FreshnessBounded} {
		asked := w.asked(h, server, class)
		if got := answered(asked); len(got) > 0 {
			t.Errorf("%s served %d %s reads, the first: %s", server, len(got), class, got[0])
		}
		if len(asked) == 0 {
			t.Errorf("INCONCLUSIVE: %s was asked for nothing %s", server, class)
		}
	}
	effort := w.asked(h, server, candor.FreshnessBestEffort)
	for _, o := range effort {
		if o.Outcome != history.OutcomeOK || o.Witness.Class != candor.ServingDegraded {
			t.Errorf("%s was asked for BEST_EFFORT: %s, labelled %+v", server, o, o.Witness)
			return
		}
	}
	if len(effort) < leastAnswers {
		t.Errorf("INCONCLUSIVE: %s was asked for BEST_EFFORT %d times", server, len(effort))
	}
}

// viewless wants a server that never had a view to refuse everything in the
// window, and BEST_EFFORT for just that.
func viewless(t *testing.T, h *history.History, w window, server string) {
	t.Helper()
	for _, class := range classes {
		asked := w.asked(h, server, class)
		if len(asked) == 0 {
			t.Errorf("INCONCLUSIVE: %s was asked for nothing %s", server, class)
		}
		for _, o := range asked {
			if o.Outcome == history.OutcomeOK || class == candor.FreshnessBestEffort && o.Reason != candor.ReasonViewUnavailable {
				t.Errorf("%s has no view and was asked for %s: %s", server, class, o)
				break
			}
		}
	}
}

// healthy wants servers to have served in the window what those in good order
// do: all classes, STRONG where they may ask the leader.
func healthy(t *testing.T, h *history.History, w window, servers ...string) {
	t.Helper()
	if missing := shortOf(h, w, servers...); missing != "" {
		t.Errorf("healthy servers fell short: %s", missing)
	}
}

// shortOf says what servers did not serve in the window that they should; empty
// for nothing.
func shortOf(h *history.History, w window, servers ...string) string {
	strong := 0
	for _, server := range servers {
		for _, class := range classes {
			got := len(answered(w.asked(h, server, class)))
			if class == candor.FreshnessStrong {
				strong += got
			}
			// Of the STRONG reads every second is for the leader alone.
			if got < leastAnswers/2 && (followersProve || class == candor.FreshnessBestEffort) {
				return fmt.Sprintf("%s answered %d %s reads", server, got, class)
			}
		}
	}
	if strong < leastAnswers {
		return fmt.Sprintf("%v answered %d STRONG reads", servers, strong)
	}
	return ""
}

// followersProve: a follower holds proofs of its own and serves BOUNDED reads for
// as long as those last, and STRONG ones where it may ask the leader.
const followersProve = true
