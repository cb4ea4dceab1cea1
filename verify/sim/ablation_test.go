package sim

import (
	"strings"
	"testing"
)

// TestEveryMistakeIsCaught, by the check that is there for it and soon, and the
// shortest way to it is short. The table says how soon: within so many seeds; and how
// short: in so many choices.
func TestEveryMistakeIsCaught(t *testing.T) {
	for _, row := range []struct {
		name    string
		mistake mistake
		check   string
		seeds   uint64
		choices int
	}{
		{"a replica skips an entry", skipsAnEntry, "SameDigestAtSameIndex", 20, 40},
		{"a snapshot forgets requests", forgetsRequests, "snapshot", 100, 10},
		{"a snapshot forgets leases", forgetsLeases, "snapshot", 100, 10},
		{"a client takes no answer for success", takesUnknownForDone, "answers equal replay|each write has its turn|revisions follow real time", 100, 15},
		{"a client repeats without a request ID", repeatsWithoutID, "answers equal replay|each write has its turn", 200, 15},
		{"a strong read is not confirmed", readsUnconfirmed, "revisions follow real time", 200, 15},
		{"a holder writes without its fence", writesUnfenced, "SealedIsSilent", 400, 15},
		{"a holder believes for ever", believesForEver, "belief", 100, 15},
		{"an allocator does not wait for its bound", takesUnreserved, "no number twice|within the seal|eras inherit", 500, 15},
		{"an allocator goes on while it seals", actsAfterSealing, "no number twice|within the seal|eras inherit|belief", 800, 20},
		{"a watch that moves loses an event", losesAnEvent, "list + watch = state|watch events", 100, 10},
		{"a leader stamps its wall clock", stampsByWallClock, "belief", 800, 15},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := Options{mistake: row.mistake}
			for seed := range row.seeds {
				r := Run(seed, 0, o)
				if r.Failure == nil {
					continue
				}
				m := Minimise(t.Context(), New(seed, 0), o)
				t.Logf("seed %d, after %d turns; %d choices after %d runs: %s", seed, r.Failure.Turns, len(m.Schedule.Choices), m.Runs, m.Result.Failure)
				if !strings.Contains("|"+row.check+"|", "|"+r.Failure.Check+"|") {
					t.Errorf("caught by %q, want %s: %s", r.Failure.Check, row.check, r.Failure)
				}
				if !m.Least || len(m.Schedule.Choices) > row.choices {
					t.Errorf("%d choices are left (least %t), want %d at most", len(m.Schedule.Choices), m.Least, row.choices)
				}
				shortest(t, m, o)
				return
			}
			t.Errorf("not caught within %d seeds", row.seeds)
		})
	}
}

// shortest: what was left fails when it is run again, and not without any one choice.
func shortest(t *testing.T, m Minimised, o Options) {
	t.Helper()
	check := m.Result.Failure.Check
	if r := m.Schedule.Run(o); r.Failure == nil || *r.Failure != *m.Result.Failure {
		t.Errorf("run again it comes to %v", r.Failure)
	}
	for _, n := range m.Schedule.Numbers() {
		less := m.Schedule.Without([]int{n})
		if r := less.Run(o); r.Failure != nil && r.Failure.Check == check {
			t.Errorf("it fails without choice %d too", n)
		}
	}
	if r := m.Schedule.Run(Options{}); r.Failure != nil {
		t.Errorf("it fails without the mistake: %s", r.Failure)
	}
}
