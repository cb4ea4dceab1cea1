package evidence

import (
	"bytes"
	"io"
	"maps"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/watches"
)

// Read reads what Write wrote, and every file of operations alone, strictly: it refuses
// what history.Read refuses, a record of an unknown kind, one that lacks what it is
// about, and a batch of a watch that has not begun, with reason INVALID and the line.
func Read(r io.Reader) (*Evidence, error) {
	in := newReader()
	h, source, err := history.ReadWith(r, in.line)
	if err != nil {
		return nil, err
	}
	in.evidence.History, in.evidence.Source = h, source
	return &in.evidence, nil
}

// reader takes the lines that are no operations.
type reader struct {
	evidence Evidence
	kinds    map[string]func(line []byte) error
	// streams are the places of watches by their names.
	streams map[string]int
}

func newReader() *reader {
	r := &reader{streams: map[string]int{}}
	e := &r.evidence
	r.kinds = map[string]func([]byte) error{
		recordWatch:    taking(func(l *watchLine) error { return r.begins(&l.Start) }),
		recordBatch:    taking(func(l *batchLine) error { return r.delivers(&l.Batch) }),
		recordEnd:      taking(func(l *endLine) error { return r.ends(&l.End) }),
		recordFloor:    taking(func(l *floorLine) error { return keep(&e.Floors, l.Floor, checkFloor) }),
		recordNumber:   taking(func(l *numberLine) error { return keep(&e.Numbers, l.Number, checkNumber) }),
		recordBelief:   taking(func(l *beliefLine) error { return keep(&e.Beliefs, l.Belief, checkBelief) }),
		recordAct:      taking(func(l *actLine) error { return keep(&e.Acts, l.Act, checkAct) }),
		recordVersions: taking(func(l *versionsLine) error { return keep(&e.Versions, l.Versions, (*history.Versions).Validate) }),
		recordFinal:    taking(func(l *finalLine) error { return keep(&e.Finals, l.Final, checkFinal) }),
		recordRepeat:   taking(func(l *repeatLine) error { return keep(&e.Repeats, l.Repeat, checkRepeat) }),
		recordClaim:    taking(func(l *claimLine) error { return keep(&e.Claims, l.Claim, checkClaim) }),
		recordDecision: taking(func(l *decisionLine) error { return keep(&e.Decisions, l.Decision, checkDecision) }),
		recordDigest:   taking(func(l *digestLine) error { return keep(&e.Digests, l.Digest, checkDigest) }),
		recordReplay:   taking(func(l *replayLine) error { return keep(&e.Replays, l.Replay, checkReplay) }),
		recordTurns:    taking(func(l *turnsLine) error { return keep(&e.Turns, l.Turns, checkTurns) }),
	}
	return r
}

// taking decodes a line of type L and hands it on.
func taking[L any](take func(*L) error) func([]byte) error {
	strict := history.NewStrict[L]()
	return func(line []byte) error {
		var l L
		if err := strict.Decode(line, &l); err != nil {
			return err
		}
		return take(&l)
	}
}

func keep[T any](in *[]T, x T, check func(*T) error) error {
	if err := check(&x); err != nil {
		return err
	}
	*in = append(*in, x)
	return nil
}

var recordPrefix = []byte(`{"record":"`)

func (r *reader) line(line []byte) error {
	rest, ok := bytes.CutPrefix(line, recordPrefix)
	kind, _, ended := bytes.Cut(rest, []byte(`"`))
	if !ok || !ended {
		return invalid("a record of no kind: want one of %v", slices.Sorted(maps.Keys(r.kinds)))
	}
	take := r.kinds[string(kind)]
	if take == nil {
		return invalid("record %q is unknown: want one of %v", kind, slices.Sorted(maps.Keys(r.kinds)))
	}
	return take(line)
}

func (r *reader) begins(s *watches.Start) error {
	if s.Stream == "" || s.Kind == "" {
		return invalid("a watch needs the name of its stream and a kind")
	}
	if _, twice := r.streams[s.Stream]; twice {
		return invalid("stream %q begins twice", s.Stream)
	}
	if _, err := candor.ParseSelector(s.Selector); err != nil {
		return invalid("stream %q: %v", s.Stream, err)
	}
	r.streams[s.Stream] = len(r.evidence.Watches)
	r.evidence.Watches = append(r.evidence.Watches, watches.Stream{Start: *s})
	return nil
}

// open is the stream that a line goes on with.
func (r *reader) open(name string, at history.Stamp) (*watches.Stream, error) {
	place, ok := r.streams[name]
	if !ok {
		return nil, invalid("stream %q has not begun: want its watch on an earlier line", name)
	}
	s := &r.evidence.Watches[place]
	last := s.Stamp
	if n := len(s.Batches); n > 0 {
		last = s.Batches[n-1].Stamp
	}
	switch {
	case s.End != nil:
		return nil, invalid("stream %q has ended on an earlier line", name)
	case at.Before(last):
		return nil, invalid("stream %q at %s, and on an earlier line at %s: want its lines in their order", name, at, last)
	default:
		return s, nil
	}
}

func (r *reader) delivers(b *watches.Batch) error {
	s, err := r.open(b.Stream, b.Stamp)
	if err != nil {
		return err
	}
	for i := range b.Events {
		e := &b.Events[i]
		switch e.Type {
		case candor.EventAdded, candor.EventModified, candor.EventDeleted:
		default:
			return invalid("event type %q: want ADDED, MODIFIED or DELETED", e.Type)
		}
		if e.Key == "" || e.Revision == 0 {
			return invalid("an event needs a key and a revision")
		}
	}
	s.Batches = append(s.Batches, *b)
	return nil
}

func (r *reader) ends(e *watches.End) error {
	s, err := r.open(e.Stream, e.Stamp)
	if err != nil {
		return err
	}
	s.End = e
	return nil
}

func invalid(format string, args ...any) error {
	return candor.Errorf(candor.ReasonInvalid, format, args...)
}
