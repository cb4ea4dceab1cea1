package client

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
)

// reasons are all that a server may refuse with, as the vocabulary declares
// them, and one of a later version.
func reasons() []candor.Reason {
	text, err := os.ReadFile("../reason.go")
	if err != nil {
		panic(err)
	}
	var all []candor.Reason
	for _, m := range regexp.MustCompile(`(?m)^\tReason\w+ +Reason += "(\w+)"$`).FindAllSubmatch(text, -1) {
		all = append(all, candor.Reason(m[1]))
	}
	return append(all, "A_REASON_OF_NEXT_YEAR")
}

// transportReasons are what a failure on the way becomes (see transportError).
var transportReasons = []candor.Reason{
	candor.ReasonUnavailable, candor.ReasonTimedOut, candor.ReasonInternal,
	candor.ReasonUnimplemented, candor.ReasonUnauthenticated, candor.ReasonForbidden, candor.ReasonTurnTooLarge,
}

// met is every way in which an attempt can fail: "RETRY_CLASS REASON" of a
// refusal, the reason where no server had a word.
func met() []value[plight] {
	all := reasons()
	var values []value[plight]
	for _, retry := range []candor.RetryClass{
		candor.RetryNever, candor.RetryLeader, candor.RetryOtherNode, candor.RetryWaitForToken, candor.RetryAcceptStale,
		candor.RetryLater, candor.RetrySameNode, candor.RetryOutcomeUnknown,
	} {
		for _, reason := range all {
			if reason.Disposition().Retry == retry {
				values = append(values, value[plight]{string(retry) + " " + string(reason), func(q *plight) { q.reply, q.reason = refused, reason }})
			}
		}
	}
	for _, silence := range []struct {
		name  string
		reply reply
	}{{"unreached", unreached}, {"no answer", lost}} {
		for _, reason := range transportReasons {
			values = append(values, value[plight]{silence.name + ": " + string(reason), func(q *plight) { q.reply, q.reason = silence.reply, reason }})
		}
	}
	return append(values, value[plight]{"answered by no server of ours", func(q *plight) { q.reply, q.reason = foreign, candor.ReasonInternal }})
}

func familyOf(met string) string {
	if silence, _, ok := strings.Cut(met, ": "); ok {
		return silence
	}
	retry, _, _ := strings.Cut(met, " ")
	return retry
}

func request_(class candor.Freshness, anywhere bool, e effect) func(q *plight) {
	return func(q *plight) { q.class, q.anywhere, q.effect = class, anywhere, e }
}

func modes[C any](set func(c *C, mode candor.DegradedMode)) []value[C] {
	var values []value[C]
	for _, mode := range []candor.DegradedMode{
		candor.ModeViewOnly, candor.ModeRootUnavailable, candor.ModeRootLagging, candor.ModeCoordinatorDegraded, candor.ModeHealthy, "",
	} {
		name := string(mode)
		if mode == "" {
			name = "not told"
		}
		values = append(values, value[C]{name, func(c *C) { set(c, mode) }})
	}
	return values
}

func catchUps[C any](set func(c *C, state candor.CatchUpState)) []value[C] {
	var values []value[C]
	for _, state := range []candor.CatchUpState{
		candor.CatchUpBootstrapRequired, candor.CatchUpRecovering, candor.CatchUpUnavailable, candor.CatchUpLagging, candor.CatchUpFresh, "",
	} {
		name := string(state)
		if state == "" {
			name = "not told"
		}
		values = append(values, value[C]{name, func(c *C) { set(c, state) }})
	}
	return values
}

// The table is what DESIGN.md shows, to the letter.
func TestEveryStepOfTheClientIsWhatTheTableSays(t *testing.T) {
	attributes := []attribute[plight]{
		{"met", met(), familyOf},
		{"BEST_EFFORT instead", []value[plight]{
			{"allowed, no root anywhere", func(q *plight) { q.mayBeStale, q.rootless = true, true }},
			{"allowed, root elsewhere perhaps", func(q *plight) { q.mayBeStale, q.rootless = true, false }},
			{"not allowed, no root anywhere", func(q *plight) { q.mayBeStale, q.rootless = false, true }},
			{"not allowed", func(q *plight) { q.mayBeStale, q.rootless = false, false }},
		}, nil},
		{"request", []value[plight]{
			{"STRONG", request_(candor.FreshnessStrong, false, nothing)},
			{"STRONG of any node", request_(candor.FreshnessStrong, true, nothing)},
			{"BOUNDED", request_(candor.FreshnessBounded, true, nothing)},
			{"BEST_EFFORT", request_(candor.FreshnessBestEffort, true, nothing)},
			{"a node's own word", request_("", true, nothing)},
			{"dry run", request_("", false, nothing)},
			{"write", request_("", false, repeatable)},
			{"change of membership", request_("", false, once)},
		}, nil},
		{"required token", []value[plight]{
			{"none, or covered", func(q *plight) { q.ahead = false }}, {"ahead of the view", func(q *plight) { q.ahead = true }},
		}, nil},
		{"pinned", []value[plight]{
			{"no", func(q *plight) { q.pinned = false }}, {"yes", func(q *plight) { q.pinned = true }},
		}, nil},
		{"mode", modes(func(q *plight, m candor.DegradedMode) { q.mode = m }), nil},
		{"catch-up", catchUps(func(q *plight, s candor.CatchUpState) { q.catchUp = s }), nil},
	}
	count := 0
	all := rows(plight{}, attributes, func(q plight) string { return q.next().String() }, &count)
	golden(t, "testdata/policy.md", "DESIGN.md", fmt.Sprintf("(%d cells)\n\n%s", count, table(attributes, all, "then")))
}

// The table must not be of fewer reasons than there are.
func TestTheTableKnowsEveryReason(t *testing.T) {
	all := reasons()
	if len(all) < 50 {
		t.Fatalf("only %d reasons found in ../reason.go", len(all))
	}
	for _, reason := range all[:len(all)-1] {
		if !reason.Known() {
			t.Errorf("%s has no disposition", reason)
		}
	}
	if n := len(met()); n != len(all)+2*len(transportReasons)+1 {
		t.Errorf("%d ways to fail for %d reasons: some retry class is missing", n, len(all))
	}
}

// condition is what a watch's node announces.
type condition struct {
	mode    candor.DegradedMode
	catchUp candor.CatchUpState
}

func TestAWatchLeavesANodeWhenTheTableSaysSo(t *testing.T) {
	attributes := []attribute[condition]{
		{"mode", modes(func(c *condition, m candor.DegradedMode) { c.mode = m }), nil},
		{"catch-up", catchUps(func(c *condition, s candor.CatchUpState) { c.catchUp = s }), nil},
	}
	count := 0
	all := rows(condition{}, attributes, func(c condition) string {
		if leaves(c.mode, c.catchUp) {
			return "go on at a better node, if there is one"
		}
		return "stay"
	}, &count)
	golden(t, "testdata/leaves.md", "DESIGN.md", table(attributes, all, "watch"))
}
