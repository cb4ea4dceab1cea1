package grpcapi

import (
	"errors"
	"time"

	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/internal/wire"
	"github.com/candor-plane/candor/internal/zoo"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/codec"
	"github.com/candor-plane/candor/rpc/convert"
)

const (
	defaultBookmark = 10 * time.Second
	minBookmark     = 100 * time.Millisecond
	// batchEvents and batchBytes end a message early, at the end of a turn.
	batchEvents = 512
	batchBytes  = 1 << 20
)

// Watch streams the changes of a kind after a revision: every one, once, in
// order, whole turns at a time. A stream whose position falls below the floor
// ends with COMPACTED.
func (s *Objects) Watch(in *candorv1.WatchRequest, stream grpc.ServerStreamingServer[candorv1.WatchResponse]) error {
	selector, err := candor.ParseSelector(in.GetLabelSelector())
	if err != nil {
		return err
	}
	kind := candor.KindName(in.GetKind())
	if _, err := s.kinds.ByName(kind); err != nil {
		return err
	}
	view, witness, err := s.view(stream.Context(), in.GetRead())
	if err != nil {
		return err
	}
	if err := mayRead(stream.Context(), view, policy.Watch, in.GetKind(), in.GetNamespace(), in.GetName()); err != nil {
		return withWitness(err, witness)
	}
	filter := filterOf(in)
	w := &watch{service: s, stream: stream, kind: kind, selector: selector, in: in, position: in.GetAfterRevision(), group: s.groups.join(filter), carried: carriedIn(stream.Context())}
	defer s.groups.leave(filter)
	if w.position == 0 {
		w.position = view.Token().Revision
	}
	if w.position < view.Floor() || w.position > view.Token().Revision {
		return withWitness(view.Readable(w.position), witness)
	}
	if zoo.Enabled && zoo.Has(zoo.ResumeSkips) && in.GetAfterRevision() != 0 {
		w.position++
	}
	if zoo.Enabled && zoo.Has(zoo.ResumeRepeats) && in.GetAfterRevision() != 0 {
		w.position--
	}
	started := &candorv1.WatchResponse{Type: candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_STARTED, Revision: w.position, Witness: convert.WitnessToProto(&witness)}
	if err := stream.Send(started); err != nil {
		return err
	}
	return w.run()
}

// watch is one stream.
type watch struct {
	service  *Objects
	stream   grpc.ServerStreamingServer[candorv1.WatchResponse]
	kind     candor.KindName
	selector candor.Selector
	in       *candorv1.WatchRequest
	group    *watchGroup
	position uint64
	ordinal  uint32
	known    bool
	// rights is closed with the next change of a role, a binding, a token.
	rights <-chan struct{}
	// carried is nil for a watch by itself.
	carried *carriedWatch
}

func (w *watch) run() error {
	interval := defaultBookmark
	if ms := w.in.GetBookmarkIntervalMs(); ms > 0 {
		interval = max(minBookmark, time.Duration(ms)*time.Millisecond)
	}
	bookmarks := time.NewTicker(interval)
	defer bookmarks.Stop()
	lapses, stop := w.lapses()
	defer stop()
	ended := w.stream.Context().Done()
	if err := w.rejudge(); err != nil {
		return err
	}
	now, position, condition := w.service.reader.Conditions(0)
	if err := quarantined(now); err != nil {
		return err
	}
	pumped := w.sit()
	defer pumped.leave()
	for {
		view, changed := w.service.changes.Changed(w.kind)
		if err := w.deliver(view); err != nil {
			return err
		}
		var then func() error
		select {
		case <-pumped.give(changed):
		case <-bookmarks.C:
			then = w.bookmark
		case <-w.rights:
			then = w.rejudge
		case <-lapses:
			then = w.renew
		case <-condition:
			then = func() error {
				now, position, condition = w.service.reader.Conditions(position)
				return w.told(now)
			}
		case <-ended:
			return w.stream.Context().Err()
		case <-w.service.stopping:
			return &candor.Error{Reason: candor.ReasonShuttingDown, Message: "the server stops: resume on another one"}
		}
		if err := pumped.take(); err != nil {
			return err
		}
		if then == nil {
			continue
		}
		if err := then(); err != nil {
			return err
		}
	}
}

// deliver sends everything up to the view's revision.
func (w *watch) deliver(view *fsm.View) error {
	if w.position < view.Floor() {
		return view.Readable(w.position)
	}
	upto := view.Token().Revision
	if view.Touched(w.kind) <= w.position {
		w.position = max(w.position, upto)
		return nil
	}
	from := w.position
	if message, ok := w.group.find(from, upto); ok {
		w.position = upto
		return w.send(from, message)
	}
	var events []*candorv1.Event
	size := 0
	for w.position < upto {
		w.position++
		for v := view.Turn(w.position); v != nil; v = v.Sibling() {
			if e := w.event(view, v); e != nil {
				events = append(events, e)
				size += len(v.Data)
			}
		}
		if len(events) >= batchEvents || size >= batchBytes {
			message, err := w.encode(from, events)
			if err == nil {
				err = w.send(from, message)
			}
			if err != nil {
				return err
			}
			from, events, size = w.position, nil, 0
		}
	}
	if zoo.Enabled && zoo.Has(zoo.SplitTurn) && len(events) > 1 {
		if message, err := w.encode(from, events[:1]); err != nil || w.send(from, message) != nil {
			return err
		}
		message, err := w.encode(from, events[1:])
		return errors.Join(err, w.send(from, message))
	}
	message, err := w.encode(from, events)
	if err != nil {
		return err
	}
	w.group.keep(from, upto, message)
	return w.send(from, message)
}

// encode makes the message of the events after position from, unless compaction
// passed it while they were read: what a version replaced may have been cut off.
func (w *watch) encode(from uint64, events []*candorv1.Event) (codec.Encoded, error) {
	if err := w.service.stillReadable(from); err != nil || len(events) == 0 {
		return nil, err
	}
	return codec.Encode(&candorv1.WatchResponse{Type: candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_EVENTS, Revision: w.position, Events: events})
}

// send delivers the message, unless compaction passed the stream: then the
// client shall know that it must list.
func (w *watch) send(from uint64, message codec.Encoded) error {
	if err := w.service.stillReadable(from); err != nil || len(message) == 0 {
		return err
	}
	if w.carried != nil && w.carried.pushed && !w.carried.hasRoom() {
		w.position = from
		return errNoRoom
	}
	return w.stream.SendMsg(message)
}

func (w *watch) bookmark() error {
	// The stream's class governs its bookmarks as it did its start.
	if err := w.allowed(); err != nil {
		return err // a token may have expired
	}
	view, witness, err := w.service.view(w.stream.Context(), w.in.GetRead())
	if err != nil {
		return w.lapsed(err)
	}
	if err := w.deliver(view); err != nil {
		return err
	}
	if zoo.Enabled && zoo.Has(zoo.BookmarkAhead) {
		w.position++
	}
	return w.stream.Send(&candorv1.WatchResponse{Type: candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_BOOKMARK, Revision: w.position, Witness: convert.WitnessToProto(&witness)})
}

// event is what the version means to this stream, or nil.
func (w *watch) event(view *fsm.View, v *mvcc.Version) *candorv1.Event {
	if !w.known {
		if view.KindName(v.Kind) != w.kind {
			return nil
		}
		w.ordinal, w.known = v.Kind, true
	}
	if v.Kind != w.ordinal {
		return nil
	}
	namespace, name := candor.SplitKey(v.Key)
	if (w.in.GetNamespace() != "" && namespace != w.in.GetNamespace()) || (w.in.GetName() != "" && name != w.in.GetName()) {
		return nil
	}
	before := view.Before(v)
	was := before != nil && w.matches(before)
	is := !v.Deleted && w.matches(v)
	e := &candorv1.Event{Revision: v.Revision}
	switch {
	case is && was:
		e.Type = candorv1.EventType_EVENT_TYPE_MODIFIED
	case is:
		e.Type = candorv1.EventType_EVENT_TYPE_ADDED
	case was:
		e.Type = candorv1.EventType_EVENT_TYPE_DELETED
	default:
		return nil
	}
	e.Object = objectOf(v)
	if w.in.GetWithPrevious() && before != nil {
		e.Previous = objectOf(before)
	}
	return e
}

func (w *watch) matches(v *mvcc.Version) bool {
	return w.selector.Empty() || w.selector.Matches(wire.DecodeLabels(v.Data))
}
