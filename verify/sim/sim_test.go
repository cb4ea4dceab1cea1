package sim

import (
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/fsm"
)

// within is how many schedules a test may take.
func within(t *testing.T, n uint64) uint64 {
	t.Helper()
	if testing.Short() {
		return n / 5
	}
	return n
}

// TestSchedulesPass, and what they are made of is there: a check that had nothing to
// look at in so many, or a fault that never had an effect, checks nothing.
func TestSchedulesPass(t *testing.T) {
	totals := NewTotals()
	Sweep(t.Context(), 0, within(t, 500)-1, 0, runtime.GOMAXPROCS(0), Options{}, func(r Result) bool {
		if r.Failure != nil {
			t.Errorf("seed %d: %s", r.Seed, r.Failure)
		}
		totals.Add(&r)
		return true
	})
	for _, fault := range Faults {
		if totals.Faults[fault] == 0 {
			t.Errorf("no fault %s had an effect", fault)
		}
	}
	for _, check := range []string{
		"SameDigestAtSameIndex", "answers equal replay", "each write has its turn", "revisions follow real time", "registers are linearizable without tokens",
		"session: monotonic reads", "session: monotonic writes", "session: read your writes", "session: writes follow reads",
		"beliefs", "decisions replayed", "deletions that end", "deletions that nothing holds", "lists compared", "lists of the past compared", "reads below the floor",
		"numbers of ids", "numbers of tso", "owners that are there", "placements", "replayed", "logs replayed", "restored from snapshot", "snapshots and tails",
		"versions of tenures", "versions of transitions", "watch events", "watches that listed again", "writes under a fence",
	} {
		if totals.Checked[check] == 0 {
			t.Errorf("%q was checked on nothing", check)
		}
	}
	if totals.Turns < 25*totals.Schedules || totals.Applied < 3*totals.Turns {
		t.Errorf("%d schedules made %d turns, applied %d times", totals.Schedules, totals.Turns, totals.Applied)
	}
}

// TestASeedIsOneRun: every event and every state come again, alone or beside others,
// and watched or not.
func TestASeedIsOneRun(t *testing.T) {
	const seeds = 40
	first := make([]Result, seeds)
	for seed := range uint64(seeds) {
		first[seed] = Run(seed, 0, Options{})
	}
	Sweep(t.Context(), 0, seeds-1, 0, 4, Options{}, func(r Result) bool {
		if diff := cmp.Diff(first[r.Seed], r); diff != "" {
			t.Errorf("seed %d: %s", r.Seed, diff)
		}
		return true
	})
	for seed := range uint64(5) {
		lines := 0
		if r := Run(seed, 0, Options{Log: func(string) { lines++ }}); r.Trace != first[seed].Trace || lines == 0 {
			t.Errorf("seed %d has the trace %x with a log of %d lines and %x without", seed, r.Trace, lines, first[seed].Trace)
		}
	}
	if first[0].Trace == first[1].Trace {
		t.Error("two seeds have one trace")
	}
}

// TestAScheduleIsItsChoices: to leave one out leaves the others as they were, a file
// brings all of it back, and so do the numbers on the command line.
func TestAScheduleIsItsChoices(t *testing.T) {
	whole := New(7, 60)
	some := whole.Without([]int{3, 7, 8, 9, 60})
	if len(some.Choices) != 55 || some.Choices[2] != whole.Choices[3] {
		t.Fatalf("%d choices are left, the third is %+v", len(some.Choices), some.Choices[2])
	}
	if diff := cmp.Diff(some, whole.Only(some.Numbers())); diff != "" {
		t.Error(diff)
	}
	text := Ranges(some.Dropped())
	numbers, err := ReadRanges(text)
	if err != nil || text != "3,7-9,60" || !slices.Equal(numbers, some.Dropped()) {
		t.Errorf("%q, read as %v: %v", text, numbers, err)
	}
	data, err := some.Encode()
	if err != nil {
		t.Fatal(err)
	}
	read, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(some, read); diff != "" {
		t.Error(diff)
	}
	if a, b := some.Run(Options{}), read.Run(Options{}); a.Trace != b.Trace {
		t.Errorf("traces %x and %x", a.Trace, b.Trace)
	}
	for _, wrong := range []string{"", "0", "3-", "7-3", "x"} {
		if _, err := ReadRanges(wrong); err == nil {
			t.Errorf("%q was read", wrong)
		}
	}
	if _, err := Decode([]byte(`{"format":"candor-schedule/1","setting":{"servers":3}}`)); err == nil {
		t.Error("a schedule without clocks was read")
	}
}

// TestEveryTurnIsObserved, once and in order, between two views that are its own; and
// so is every change of members, to one that may be made.
func TestEveryTurnIsObserved(t *testing.T) {
	for seed := range uint64(20) {
		var last *fsm.View
		turns := 0
		r := Run(seed, 0, Options{Observe: func(x *Turn) {
			before, after := x.Before.Token(), x.After.Token()
			if x.Command == nil {
				if was, is := len(x.Before.Configuration().Servers), len(x.After.Configuration().Servers); x.After.Configuration().Index != x.Index || was > 0 && is-was > 1 {
					t.Errorf("seed %d: %d members at %d, after %d", seed, is, x.Index, was)
				}
				last = x.After
				return
			}
			turns++
			if after.Index != x.Index || last != nil && last.Token().Revision != before.Revision || last != nil && last.Token().Index > before.Index {
				t.Errorf("seed %d: %s at %d, from %s to %s", seed, x.Command.Type, x.Index, before, after)
			}
			if x.Result.Changed && !x.Result.Replayed != (after.Revision == before.Revision+1) {
				t.Errorf("seed %d: %s at %d: %+v, from %s to %s", seed, x.Command.Type, x.Index, x.Result, before, after)
			}
			last = x.After
		}})
		if r.Failure != nil || turns != r.Turns {
			t.Errorf("seed %d: %d of %d turns were observed: %v", seed, turns, r.Turns, r.Failure)
		}
	}
}
