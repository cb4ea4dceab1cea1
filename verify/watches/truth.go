package watches

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// truth is what is known to have been written, apart from the stream that is held
// against it.
type truth struct {
	// facts are in order of revision, then key, each once.
	facts []fact
	// of are the places in facts of a key, by revision.
	of map[string][]int32
	// recorded are the keys that clients wrote: nobody else does, unless they are going.
	recorded map[string]*writers
}

// fact is that a turn made a version of a key, or removed it.
type fact struct {
	revision uint64
	key      string
	absent   bool
	value    string // empty where it is not known
	labels   map[string]string
	labelled bool // labels are known
	// told is who says so: exactly one of the two.
	operation *history.Operation
	exhibit   func() history.Exhibit
	// stream delivered it; empty for a fact that does not rest on a watch.
	stream string
}

// writers is what clients did to a key.
type writers struct {
	// first is the oldest revision at which one is known to have written.
	first uint64
	// going: some write left the key so that it changes without another.
	going bool
	// unknown are values of writes of unknown outcome, and how many; removals of unknown
	// outcome are under their own count.
	unknown  map[string][]*history.Operation
	removals int
}

func newTruth(r *Recording) *truth {
	t := &truth{recorded: map[string]*writers{}, of: map[string][]int32{}}
	if len(r.Streams) == 0 {
		return t
	}
	for o := range r.History.All() {
		if !o.Kind.Reads() {
			t.write(o)
		}
	}
	for i := range r.Versions {
		t.kept(&r.Versions[i])
	}
	for i := range r.Streams {
		t.delivered(&r.Streams[i])
	}
	t.settle()
	return t
}

func (t *truth) write(o *history.Operation) {
	for i := range o.Items {
		item := &o.Items[i]
		w := t.recorded[item.Key]
		if w == nil {
			w = &writers{unknown: map[string][]*history.Operation{}}
			t.recorded[item.Key] = w
		}
		switch {
		case o.Outcome == history.OutcomeFailed || o.Unchanged:
			continue
		case o.Outcome == history.OutcomeUnknown || o.Token.Revision == 0:
			w.unknown[item.Value] = append(w.unknown[item.Value], o)
			if item.Absent || item.Going {
				w.removals++
			}
		default:
			if w.first == 0 || o.Token.Revision < w.first {
				w.first = o.Token.Revision
			}
			t.facts = append(t.facts, fact{revision: o.Token.Revision, key: item.Key, absent: item.Absent, value: item.Value, operation: o})
		}
		w.going = w.going || item.Going
	}
}

func (t *truth) kept(v *history.Versions) {
	for i := range v.Versions {
		one := &v.Versions[i]
		t.facts = append(t.facts, fact{
			revision: one.Revision, key: v.Key, absent: one.Deleted, value: one.Value, labels: one.LabelsAt(), labelled: true,
			exhibit: func() history.Exhibit {
				return history.Exhibit{Record: "versions", Text: fmt.Sprintf("%s=%s@%d, as kept at revision %d%s", v.Key, one.Value, one.Revision, v.Revision, by(v.Node))}
			},
		})
	}
}

// delivered are the events of a stream that takes all labels. One with a selector shows
// objects that only stopped to match as DELETED, so nothing follows from its events.
func (t *truth) delivered(s *Stream) {
	if s.selector() != nil {
		return
	}
	for d := range s.all {
		t.facts = append(t.facts, fact{
			revision: d.Revision, key: d.Key, absent: d.Type == candor.EventDeleted, value: d.Value,
			labels: d.Labels, labelled: true, exhibit: d.exhibit, stream: s.Stream,
		})
	}
}

// settle orders facts and merges those of one revision of a key: what clients and the
// cluster say comes before what watches do, and the first that knows labels gives them.
func (t *truth) settle() {
	slices.SortStableFunc(t.facts, func(a, b fact) int {
		return cmp.Or(cmp.Compare(a.revision, b.revision), strings.Compare(a.key, b.key))
	})
	merged := t.facts[:0]
	for i := range t.facts {
		f := t.facts[i]
		if n := len(merged); n > 0 && merged[n-1].revision == f.revision && merged[n-1].key == f.key {
			if known := &merged[n-1]; !known.labelled && f.labelled {
				known.labels, known.labelled = f.labels, true
			}
			continue
		}
		merged = append(merged, f)
	}
	t.facts = merged
	for i := range t.facts {
		t.of[t.facts[i].key] = append(t.of[t.facts[i].key], int32(i))
	}
}

// at is the fact of exactly this revision of a key, or nil.
func (t *truth) at(key string, revision uint64) *fact {
	place, found := t.find(key, revision)
	if !found {
		return nil
	}
	return &t.facts[t.of[key][place]]
}

// before is the newest fact of a key below a revision, or nil.
func (t *truth) before(key string, revision uint64) *fact {
	place, _ := t.find(key, revision)
	if place == 0 {
		return nil
	}
	return &t.facts[t.of[key][place-1]]
}

func (t *truth) find(key string, revision uint64) (int, bool) {
	return slices.BinarySearchFunc(t.of[key], revision, func(i int32, r uint64) int { return cmp.Compare(t.facts[i].revision, r) })
}

// told is the fact as a violation shows it.
func (f *fact) told() ([]*history.Operation, []history.Exhibit) {
	if f.operation != nil {
		return []*history.Operation{f.operation}, nil
	}
	return nil, []history.Exhibit{f.exhibit()}
}
