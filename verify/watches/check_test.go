package watches_test

import (
	"slices"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/watches"
)

const (
	ordered  = "watches are ordered, unique and atomic"
	filtered = "watches deliver what was asked for"
	whole    = "watches leave nothing out"
	honest   = "watches deliver what was written, and what was before"
	states   = "a list and a watch from it make the state"
	refused  = "a watch from below the floor is refused"
)

// TestWhatARightClusterDeliversPasses, whatever the schedule.
func TestWhatARightClusterDeliversPasses(t *testing.T) {
	for seed := range uint64(150) {
		_, r := recording(t, seed)
		for _, one := range r.Check(1) {
			if want := history.Pass; one.Verdict != want && one.Property != refused {
				t.Fatalf("seed %d: %+v", seed, one)
			}
		}
		// Without what the cluster keeps, less is known, and nothing of it wrong.
		r.Versions = nil
		for _, one := range r.Check(1) {
			if one.Verdict == history.Violated {
				t.Fatalf("seed %d, without versions: %+v", seed, one)
			}
		}
	}
}

// pick is the n-th event of a stream that a condition holds for, and its batch.
func pick(t *testing.T, r *watches.Recording, stream string, n int, is func(*watches.Event) bool) (*watches.Batch, int) {
	t.Helper()
	for i := range r.Streams {
		if r.Streams[i].Stream != stream {
			continue
		}
		for j := range r.Streams[i].Batches {
			b := &r.Streams[i].Batches[j]
			for k := range b.Events {
				if is(&b.Events[k]) {
					if n == 0 {
						return b, k
					}
					n--
				}
			}
		}
	}
	t.Skip("the world has no such event")
	return nil, 0
}

func every(*watches.Event) bool { return true }

func is(kind candor.EventType) func(*watches.Event) bool {
	return func(e *watches.Event) bool { return e.Type == kind }
}

func after(e *watches.Event) bool { return e.Previous != nil && e.Type == candor.EventModified }

// TestEachCorruptionIsFound, by the check that it is about, and with the records that
// contradict one another.
func TestEachCorruptionIsFound(t *testing.T) {
	for _, c := range []struct {
		name, property string
		do             func(t *testing.T, r *watches.Recording)
	}{
		{"an event is lost", whole, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "now", 4, every)
			b.Events = slices.Delete(b.Events, k, k+1)
		}},
		{"an event of a selector is lost", whole, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "lane", 2, is(candor.EventAdded))
			b.Events = slices.Delete(b.Events, k, k+1)
		}},
		{"an end of a match is lost", whole, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "lane", 1, is(candor.EventDeleted))
			b.Events = slices.Delete(b.Events, k, k+1)
		}},
		{"a bookmark promises too much", whole, func(_ *testing.T, r *watches.Recording) {
			s := &r.Streams[0]
			s.Batches = append(s.Batches, watches.Batch{Stream: s.Stream, Bookmark: true, Revision: s.Batches[len(s.Batches)-1].Revision + 8, Stamp: history.Stamp{At: 9999, Seq: 9999}})
		}},
		{"a resumed watch leaves a gap", whole, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "resumed", 0, every)
			b.Events = slices.Delete(b.Events, k, k+1)
		}},
		{"a resumed watch repeats", ordered, func(_ *testing.T, r *watches.Recording) {
			s := &r.Streams[len(r.Streams)-1]
			first := r.Streams[0].Batches
			for i := range first {
				if len(first[i].Events) > 0 {
					s.Batches[1].Events = append([]watches.Event{first[i].Events[0]}, s.Batches[1].Events...)
					return
				}
			}
		}},
		{"an event comes twice", ordered, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "now", 3, every)
			b.Events = append(b.Events[:k+1:k+1], b.Events[k:]...)
		}},
		{"two batches change places", ordered, func(_ *testing.T, r *watches.Recording) {
			b := r.Streams[1].Batches
			b[2], b[4] = b[4], b[2]
		}},
		{"a turn is split", ordered, func(t *testing.T, r *watches.Recording) {
			s := &r.Streams[1]
			for i := range s.Batches {
				e := s.Batches[i].Events
				for k := 1; k < len(e); k++ {
					if e[k].Revision != e[k-1].Revision {
						continue
					}
					late := s.Batches[i]
					late.Events = e[k:]
					s.Batches[i].Events = e[:k:k]
					s.Batches = slices.Insert(s.Batches, i+1, late)
					return
				}
			}
			t.Skip("no turn of two events")
		}},
		{"a bookmark with events", ordered, func(t *testing.T, r *watches.Recording) {
			b, _ := pick(t, r, "now", 1, every)
			b.Bookmark = true
		}},
		{"an event above its promise", ordered, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "now", 1, every)
			b.Events[k].Revision = b.Revision + 1
		}},
		{"another namespace", filtered, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "namespace", 1, every)
			b.Events[k].Key = key(1)
		}},
		{"another name", filtered, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "one", 0, every)
			b.Events[k].Key = key(3)
		}},
		{"labels that do not match", filtered, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "lane", 1, is(candor.EventAdded))
			b.Events[k].Labels = map[string]string{"lane": "right"}
		}},
		{"DELETED, and did not match before", filtered, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "lane", 1, is(candor.EventDeleted))
			b.Events[k].Previous.Labels = map[string]string{"lane": "right"}
		}},
		{"another value", honest, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "now", 2, is(candor.EventModified))
			b.Events[k].Value = "forged"
		}},
		{"another type", honest, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "all", 2, is(candor.EventModified))
			b.Events[k].Type = candor.EventAdded
		}},
		{"a removal that was none", honest, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "now", 2, is(candor.EventModified))
			b.Events[k].Type = candor.EventDeleted
		}},
		{"an older version before", honest, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "namespace", 1, after)
			b.Events[k].Previous.Version--
		}},
		{"another value before", honest, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "namespace", 1, after)
			b.Events[k].Previous.Value = "forged"
		}},
		{"nothing before", honest, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "namespace", 1, after)
			b.Events[k].Previous = nil
		}},
		{"a version of a later revision", honest, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "now", 1, is(candor.EventModified))
			b.Events[k].Version++
		}},
		{"a phantom", honest, func(t *testing.T, r *watches.Recording) {
			b, k := pick(t, r, "now", 2, is(candor.EventModified))
			phantom := b.Events[k]
			for n := range 6 {
				if k := key(n); k != phantom.Key && !slices.ContainsFunc(b.Events, func(e watches.Event) bool { return e.Key == k && e.Revision == phantom.Revision }) {
					phantom.Key = k
					break
				}
			}
			phantom.Value, phantom.Type = "nobody's", candor.EventModified
			b.Events = slices.Insert(b.Events, k+1, phantom)
		}},
		{"the state is another", states, func(_ *testing.T, r *watches.Recording) {
			r.Lists[0].Items[0].Value = "forged"
		}},
		{"the state lacks something", states, func(_ *testing.T, r *watches.Recording) {
			r.Lists[0].Items = r.Lists[0].Items[1:]
		}},
		{"below the floor, and served", refused, func(_ *testing.T, r *watches.Recording) {
			r.Floors = []watches.Floor{{Revision: 5, Token: candor.Token{Term: 1, Index: 900, Revision: 40}, Stamp: history.Stamp{At: 1, Seq: 1}}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := 0
			for seed := range uint64(12) {
				t.Run("", func(t *testing.T) {
					_, r := recording(t, seed)
					c.do(t, r)
					seen++
					for _, one := range r.Check(1) {
						if one.Property != c.property {
							continue
						}
						if one.Verdict != history.Violated || len(one.Violation.Operations)+len(one.Violation.Exhibits) == 0 {
							t.Errorf("seed %d: %s: %s", seed, one.Property, one.Verdict)
						}
					}
				})
			}
			if seen < 4 {
				t.Errorf("the corruption was tried on %d worlds only", seen)
			}
		})
	}
}

// TestAWatchFromBelowTheFloorThatIsRefusedCounts, and one that a server serves which has
// not heard of the compaction is no violation.
func TestAWatchFromBelowTheFloorThatIsRefusedCounts(t *testing.T) {
	_, r := recording(t, 3)
	r.Floors = []watches.Floor{{Revision: 5, Token: candor.Token{Term: 1, Index: 2000, Revision: 40}}}
	r.Streams = append(r.Streams, watches.Stream{
		Start: watches.Start{Stream: "late", Kind: kind, After: 2}, End: &watches.End{Stream: "late", Reason: candor.ReasonCompacted},
	})
	got := r.Check(1)
	if one := got[len(got)-1]; one.Property != refused || one.Verdict != history.Pass || one.Checked != 1 || len(one.Left) == 0 {
		t.Errorf("%+v", one)
	}
}

// TestAWriteOfUnknownOutcomeExplainsOneVersion, and no second one.
func TestAWriteOfUnknownOutcomeExplainsOneVersion(t *testing.T) {
	for again, want := range map[bool]history.Verdict{false: history.Pass, true: history.Violated} {
		w := grow(5, 20)
		unknown := &w.operations[slices.IndexFunc(w.operations, func(o history.Operation) bool {
			return o.Kind == history.KindPut && o.Token.Revision > 8
		})]
		revision, value := unknown.Token.Revision, unknown.Items[0].Value
		unknown.Outcome, unknown.Token = history.OutcomeUnknown, candor.Token{}
		s := w.watch(watches.Start{Stream: "all", After: 1})
		if again {
			for i := range s.Batches {
				for k := range s.Batches[i].Events {
					if e := &s.Batches[i].Events[k]; e.Key == unknown.Items[0].Key && e.Revision != revision && e.Type != candor.EventDeleted && e.Revision > 8 {
						e.Value = value
					}
				}
			}
			for i := range w.operations {
				o := &w.operations[i]
				if o.Token.Revision > revision && len(o.Items) == 1 && o.Items[0].Key == unknown.Items[0].Key {
					o.Outcome, o.Reason, o.Token = history.OutcomeFailed, candor.ReasonUnavailable, candor.Token{}
				}
			}
		}
		r := &watches.Recording{Streams: []watches.Stream{s}, History: historyOf(t, w.operations)}
		for _, one := range r.Check(1) {
			if one.Property == honest && one.Verdict != want {
				t.Errorf("again %v: %+v", again, one)
			}
		}
	}
}
