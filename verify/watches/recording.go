package watches

import (
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// Recording is the watches of one run and what they are held against.
type Recording struct {
	Streams []Stream
	Floors  []Floor
	// History is the operations of the run, Versions what the cluster keeps of objects
	// and Lists complete lists beside those in History.
	History  *history.History
	Versions []history.Versions
	Lists    []List
}

// List is every object of a scope at one revision.
type List struct {
	// Scope is the prefix of keys that it is complete for.
	Scope    string
	Revision uint64
	Items    []history.Item
	// Operation is the read that it is of; nil for a list that was read after the run.
	Operation *history.Operation
}

// Check runs all checkers, each of which must have checked least items to say PASS.
func (r *Recording) Check(least int) []history.Report {
	t := newTruth(r)
	return []history.Report{
		r.ordered(least), r.filtered(least), r.whole(t, least), r.honest(t, least), r.states(least), r.refused(least),
	}
}

// prefix is what the keys of a stream's objects begin with.
func (s *Start) prefix() string {
	switch {
	case s.Namespace == "" && s.Name == "":
		return string(s.Kind) + "/"
	case s.Name == "":
		return string(s.Kind) + "/" + s.Namespace + "/"
	default:
		return history.Key(candor.Ref{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name})
	}
}

// covers says whether the stream asked for a key, whatever its labels are.
func (s *Start) covers(key string) bool {
	rest, ok := strings.CutPrefix(key, string(s.Kind)+"/")
	if !ok {
		return false
	}
	namespace, name := candor.SplitKey(rest)
	return (s.Namespace == "" || s.Namespace == namespace) && (s.Name == "" || s.Name == name)
}

// selector is nil for a stream that takes every label.
func (s *Start) selector() *candor.Selector {
	parsed, err := candor.ParseSelector(s.Selector)
	if err != nil || parsed.Empty() {
		// One that no server reads has delivered nothing.
		return nil
	}
	return &parsed
}

// span is the revisions that the stream says it delivered everything of: above from,
// up to until. ok is false for one that delivered nothing.
func (s *Stream) span() (from, until uint64, ok bool) {
	if len(s.Batches) == 0 {
		return 0, 0, false
	}
	from = s.After
	if from == 0 {
		first := &s.Batches[0]
		from = first.Revision
		if len(first.Events) > 0 {
			from = first.Events[0].Revision - 1
		}
	}
	until = from
	for i := range s.Batches {
		until = max(until, s.Batches[i].Revision)
	}
	return from, until, true
}

// delivery is one event and the batch that it came in.
type delivery struct {
	*Event
	batch *Batch
}

// all yields every event in the order in which it came.
func (s *Stream) all(yield func(delivery) bool) {
	for i := range s.Batches {
		b := &s.Batches[i]
		for j := range b.Events {
			if !yield(delivery{&b.Events[j], b}) {
				return
			}
		}
	}
}
