package watches

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// whole checks that a watch leaves nothing out: each version that is known to have been
// made between its start and what a batch or bookmark promises was delivered. A watch
// that is resumed begins where its start says, so it leaves nothing out there either.
func (r *Recording) whole(t *truth, least int) history.Report {
	report := history.Report{Property: "watches leave nothing out"}
	for i := range r.Streams {
		s := &r.Streams[i]
		if from, until, ok := s.span(); ok {
			w := wanted{report: &report, truth: t, stream: s, selector: s.selector(), got: s.sorted()}
			w.between(from, until)
		}
	}
	return report.Conclude(least)
}

// sorted are the events of a stream by revision and key.
func (s *Stream) sorted() []delivery {
	var events []delivery
	for d := range s.all {
		events = append(events, d)
	}
	slices.SortStableFunc(events, func(a, b delivery) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Key, b.Key))
	})
	return events
}

// wanted goes through what a stream had to deliver and what it did, side by side.
type wanted struct {
	report   *history.Report
	truth    *truth
	stream   *Stream
	selector *candor.Selector
	got      []delivery
}

func (w *wanted) between(from, until uint64) {
	first, _ := slices.BinarySearchFunc(w.truth.facts, from+1, func(f fact, r uint64) int { return cmp.Compare(f.revision, r) })
	for i := first; i < len(w.truth.facts) && w.truth.facts[i].revision <= until; i++ {
		f := &w.truth.facts[i]
		if f.stream == w.stream.Stream || !w.stream.covers(f.key) {
			continue
		}
		if w.delivered(f) {
			w.report.Checked++
			continue
		}
		w.missed(f)
	}
}

// delivered moves on to the fact's place.
func (w *wanted) delivered(f *fact) bool {
	for len(w.got) > 0 {
		d := w.got[0]
		switch cmp.Or(cmp.Compare(d.Revision, f.revision), cmp.Compare(d.Key, f.key)) {
		case -1:
			w.got = w.got[1:]
		case 0:
			return true
		default:
			return false
		}
	}
	return false
}

func (w *wanted) missed(f *fact) {
	if why := w.unsure(f); why != "" {
		w.report.Leave(why)
		return
	}
	if !w.matches(f) {
		w.report.Checked++
		return
	}
	w.report.Checked++
	operations, exhibits := f.told()
	w.report.Break(func() string {
		return fmt.Sprintf("watch %s was told that it has everything up to a revision at or above %d, and never got revision %d of %s", w.stream.Stream, f.revision, f.revision, f.key)
	}, operations, append(exhibits, w.stream.exhibit(), w.promise(f.revision))...)
}

// unsure says why it is not known whether the stream had to deliver a fact.
func (w *wanted) unsure(f *fact) string {
	if w.selector == nil || w.shows(f) {
		return ""
	}
	before := w.truth.before(f.key, f.revision)
	switch {
	case !f.absent && !f.labelled, f.absent && before == nil, before != nil && !before.absent && !before.labelled:
		return "versions whose labels nobody recorded"
	case !w.truth.closed(f.key):
		// What nobody recorded may lie between the two, and have ended to match.
		return "ends of objects that not every write is known of"
	default:
		return ""
	}
}

// matches says whether the stream's selector had to show a fact: it matches, or what
// was there before did.
func (w *wanted) matches(f *fact) bool {
	before := w.truth.before(f.key, f.revision)
	return w.selector == nil || w.shows(f) || before != nil && w.shows(before)
}

// shows says that the object is known to be there and to match.
func (w *wanted) shows(f *fact) bool {
	return !f.absent && f.labelled && w.selector.Matches(f.labels)
}

// closed says that every version of a key is known: it is written by recorded clients
// alone, all of whose writes have a known outcome.
func (t *truth) closed(key string) bool {
	w := t.recorded[key]
	return w != nil && !w.going && len(w.unknown) == 0
}

// promise is the first batch that says that a revision was delivered.
func (w *wanted) promise(revision uint64) history.Exhibit {
	for i := range w.stream.Batches {
		if w.stream.Batches[i].Revision >= revision {
			return w.stream.Batches[i].exhibit()
		}
	}
	return w.stream.exhibit()
}
