package client_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

func watched(c *call) *candorv1.WatchRequest { return c.in.(*candorv1.WatchRequest) }

func (n *node) started(revision uint64) *candorv1.WatchResponse {
	return &candorv1.WatchResponse{
		Type: candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_STARTED, Revision: revision,
		Witness: n.witness(token(revision), n),
	}
}

func (n *node) bookmark(revision uint64) *candorv1.WatchResponse {
	m := n.started(revision)
	m.Type = candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_BOOKMARK
	return m
}

// recorded is a message with events of the given revisions.
func recorded(revisions ...uint64) *candorv1.WatchResponse {
	m := &candorv1.WatchResponse{
		Type: candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_EVENTS, Revision: revisions[len(revisions)-1],
	}
	for _, r := range revisions {
		m.Events = append(m.Events, &candorv1.Event{
			Type: candorv1.EventType_EVENT_TYPE_MODIFIED, Revision: r, Object: webObject(r),
		})
	}
	return m
}

// streams sends the messages and then ends as told; nil keeps the stream open.
func streams(end error, messages ...*candorv1.WatchResponse) script {
	return func(c *call) error {
		for _, m := range messages {
			if err := c.send(m); err != nil {
				return err
			}
		}
		if end != nil {
			return end
		}
		return hangs(c)
	}
}

var errCut = status.Error(codes.Unavailable, "cut")

// revisionsUntil reads events until the one of revision last.
func revisionsUntil(t *testing.T, w *client.Watch, last uint64) []uint64 {
	t.Helper()
	var got []uint64
	for len(got) == 0 || got[len(got)-1] < last {
		batch, err := w.Next(t.Context())
		noError(t, err)
		if batch.Bookmark != (len(batch.Events) == 0) || batch.Bookmark != (batch.Witness != nil) {
			t.Fatalf("batch %+v", batch)
		}
		for _, e := range batch.Events {
			if e.Object.Metadata.ResourceVersion != e.Revision || e.Revision > batch.Revision {
				t.Fatalf("event %+v in a batch up to %d", e, batch.Revision)
			}
			got = append(got, e.Revision)
		}
		if w.Revision() != batch.Revision {
			t.Fatalf("the watch is at %d after a batch up to %d", w.Revision(), batch.Revision)
		}
	}
	return got
}

// Whatever ends a stream and wherever it is cut, each event comes once, in order.
func TestAWatchGoesOnWithoutGapOrDuplicate(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { watchThroughFailures(t, seed) })
		})
	}
}

func watchThroughFailures(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	const first, last = 10, 60 // events happen at revisions 11 to 60
	ends := []func(n *node) error{
		func(*node) error { return errCut },
		func(*node) error { return status.Error(codes.Internal, "stream reset") },
		func(*node) error { return &candor.Error{Reason: candor.ReasonShuttingDown} },
		func(*node) error { return &candor.Error{Reason: candor.ReasonQueueSaturated} },
		func(*node) error { return &candor.Error{Reason: candor.ReasonNotLeader} },
		func(n *node) error { n.stop(); time.AfterFunc(300*time.Millisecond, n.start); return nil },
		func(*node) error { return nil },
	}
	draw := make(chan func() (chunks []int, end func(*node) error), 1)
	draw <- func() ([]int, func(*node) error) {
		var chunks []int
		for range random.IntN(6) {
			chunks = append(chunks, 1+random.IntN(5))
		}
		return chunks, ends[random.IntN(len(ends))]
	}
	s := newStage(t, three...)
	s.each(func(n *node) {
		n.on("Watch", func(c *call) error {
			f := <-draw
			chunks, end := f()
			draw <- f
			at := watched(c).GetAfterRevision()
			start := uint64(last) // this node has reached it long ago
			if at == 0 {
				start, at = first, first
			}
			if err := c.send(n.started(start)); err != nil {
				return err
			}
			for _, size := range chunks {
				var revisions []uint64
				for r := at + 1; r <= last && len(revisions) < size; r++ {
					revisions = append(revisions, r)
				}
				if len(revisions) == 0 {
					break
				}
				if err := c.send(recorded(revisions...)); err != nil {
					return err
				}
				at = revisions[len(revisions)-1]
			}
			if at < last {
				return end(n)
			}
			return hangs(c)
		})
	})
	c := s.client(three, func(cfg *client.Config) { cfg.Timeout = time.Minute })
	w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind, Read: []client.ReadOption{client.WithFollowerReadIndex()}})
	noError(t, err)
	got := revisionsUntil(t, w, last)
	var want []uint64
	for r := uint64(first + 1); r <= last; r++ {
		want = append(want, r)
	}
	if !slices.Equal(got, want) {
		t.Errorf("delivered %v, want %v", got, want)
	}
	noError(t, w.Close())
}

func TestAWatchTellsWhereItBegins(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	n1.on("Watch", streams(nil, n1.started(41), n1.bookmark(45), recorded(46, 46, 47)))
	c := s.client([]string{"n1"})
	w, err := c.Watch(t.Context(), client.WatchOptions{
		Kind: web.Kind, Namespace: "default", Name: "web", Selector: "app=web", WithPrevious: true,
	})
	noError(t, err)
	defer w.Close()
	for i, want := range []struct {
		revision uint64
		events   int
	}{{41, 0}, {45, 0}, {47, 3}} {
		batch, err := w.Next(t.Context())
		noError(t, err)
		if batch.Revision != want.revision || len(batch.Events) != want.events || batch.Bookmark != (want.events == 0) {
			t.Errorf("batch %d: %+v, want %+v", i, batch, want)
		}
	}
	in := watched(n1.arrived("Watch")[0])
	if in.GetKind() != string(web.Kind) || in.GetNamespace() != "default" || in.GetName() != "web" ||
		in.GetLabelSelector() != "app=web" || !in.GetWithPrevious() || in.GetAfterRevision() != 0 {
		t.Errorf("request %v", in)
	}
	if got := c.Session().Token().Token; got != token(45) {
		t.Errorf("the session is at %v; the bookmark said %v", got, token(45))
	}
}

func TestAWatchThatCannotGoOnSaysCompacted(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	n1.on("Watch", sequence(streams(errCut, n1.started(5), recorded(6)),
		refuses(&candor.Error{Reason: candor.ReasonCompacted, Revision: 400, Message: "the floor is 400"})))
	c := s.client([]string{"n1"})
	w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
	noError(t, err)
	defer w.Close()
	if got := revisionsUntil(t, w, 6); !slices.Equal(got, []uint64{6}) {
		t.Errorf("delivered %v", got)
	}
	for range 2 { // it stays so
		_, err = w.Next(t.Context())
		wantReason(t, err, candor.ReasonCompacted)
	}
	var e *candor.Error
	if !errors.As(err, &e) || e.Revision != 400 {
		t.Errorf("%v does not tell the floor", err)
	}
	if n := n1.count("Watch"); n != 2 {
		t.Errorf("%d streams, want 2", n)
	}
}

func TestAWatchFromBeforeTheFirstRevisionIsNotResumedBlindly(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	n1.on("Watch", sequence(streams(errCut, n1.started(0)), streams(nil, n1.started(3))))
	c := s.client([]string{"n1"})
	w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
	noError(t, err)
	defer w.Close()
	_, err = w.Next(t.Context()) // the start
	noError(t, err)
	_, err = w.Next(t.Context())
	wantReason(t, err, candor.ReasonCompacted)
}

func TestAWatchThatCannotStartIsAnError(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	c := s.client([]string{"n1"})
	n1.on("Watch", refuses(&candor.Error{Reason: candor.ReasonUnknownKind}))
	_, err := c.Watch(t.Context(), client.WatchOptions{Kind: "nothing.nowhere"})
	wantReason(t, err, candor.ReasonUnknownKind)
	n1.on("Watch", streams(nil, recorded(3)))
	_, err = c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
	wantReason(t, err, candor.ReasonInvariantViolated)
}

func TestAStreamOutOfOrderEndsTheWatch(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	mixed := recorded(7, 9)
	mixed.Revision = 8
	empty := recorded(7)
	empty.Events = nil
	downgraded := n1.bookmark(9)
	downgraded.Witness.ServedFreshness = candorv1.Freshness_FRESHNESS_BEST_EFFORT
	unwitnessed := n1.bookmark(9)
	unwitnessed.Witness = nil
	for name, m := range map[string]*candorv1.WatchResponse{
		"event again":              recorded(6),
		"event of before":          recorded(4, 7),
		"events backward":          recorded(9, 8, 9),
		"event past its message":   mixed,
		"events without any":       empty,
		"bookmark backward":        n1.bookmark(5),
		"bookmark downgraded":      downgraded,
		"bookmark without witness": unwitnessed,
		"message of no type":       {Revision: 9},
	} {
		n1.on("Watch", streams(nil, n1.started(5), recorded(6), m))
		c := s.client([]string{"n1"})
		w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind, Read: []client.ReadOption{client.WithoutSession()}})
		noError(t, err)
		revisionsUntil(t, w, 6)
		if _, err = w.Next(t.Context()); candor.ReasonOf(err) != candor.ReasonInvariantViolated {
			t.Errorf("%s: got %v, want INVARIANT_VIOLATED", name, err)
		}
		noError(t, w.Close())
	}
}

func TestTheEndOfANextsContextLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := s.node("n1")
		n1.on("Watch", sequence(streams(nil, n1.started(5), recorded(6)), streams(nil, n1.started(6), recorded(7))))
		c := s.client([]string{"n1"})
		w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
		noError(t, err)
		defer w.Close()
		revisionsUntil(t, w, 6)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = w.Next(ctx)
		wantReason(t, err, candor.ReasonTimedOut)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v does not tell that the deadline passed", err)
		}
		if got := revisionsUntil(t, w, 7); !slices.Equal(got, []uint64{7}) {
			t.Errorf("delivered %v", got)
		}
		if got := watched(n1.arrived("Watch")[1]).GetAfterRevision(); got != 6 {
			t.Errorf("resumed after %d, want 6", got)
		}
	})
}

func TestCloseEndsANextThatWaits(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	n1.on("Watch", streams(nil, n1.started(5)))
	c := s.client([]string{"n1"})
	w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
	noError(t, err)
	_, err = w.Next(t.Context())
	noError(t, err)
	done := make(chan error)
	go func() {
		_, err := w.Next(t.Context())
		done <- err
	}()
	noError(t, w.Close())
	wantReason(t, <-done, candor.ReasonCanceled)
	_, err = w.Next(t.Context())
	wantReason(t, err, candor.ReasonCanceled)
	noError(t, w.Close())
}

func TestAWatchLeavesANodeThatDoesNotStartIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1", "n2")
		n2 := s.node("n2")
		s.node("n1").on("Watch", hangs)
		s.node("n1").on("Status", s.node("n1").statuses(token(1), s.node("n1")))
		n2.on("Watch", streams(nil, n2.started(5)))
		c := s.client([]string{"n1", "n2"})
		_, err := c.Cluster().Status(t.Context(), client.OnEndpoint("n1:1")) // n1 leads, it says
		noError(t, err)
		start := time.Now()
		w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
		noError(t, err)
		if took := time.Since(start); took > client.DefaultAttemptTimeout+time.Second {
			t.Errorf("started after %v", took)
		}
		noError(t, w.Close())
	})
}

// Nodes that all greet a watch and refuse it then are asked with pauses, not as fast as
// they answer.
func TestAWatchThatEveryNodeGreetsAndRefusesPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		s.each(func(n *node) {
			n.on("Watch", streams(&candor.Error{Reason: candor.ReasonShuttingDown}, n.started(5)))
		})
		c := s.client(three)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		w, err := c.Watch(ctx, client.WatchOptions{Kind: web.Kind})
		noError(t, err)
		for err == nil {
			_, err = w.Next(ctx)
		}
		asked := 0
		s.each(func(n *node) { asked += n.count("Watch") })
		if asked < 4 || asked > 100 {
			t.Errorf("asked %d times within 3s: %v", asked, err)
		}
		_ = w.Close()
	})
}

func TestAResumedWatchRequiresWhatTheSessionHasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := s.node("n1")
		n1.on("Watch", sequence(streams(errCut, n1.started(5), n1.bookmark(9)), streams(nil, n1.started(9))))
		c := s.client([]string{"n1"})
		w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
		noError(t, err)
		for range 3 {
			_, err = w.Next(t.Context())
			noError(t, err)
		}
		in := watched(n1.arrived("Watch")[1])
		if in.GetAfterRevision() != 9 || in.GetRead().GetRequiredRootToken().GetToken().GetIndex() != 9 {
			t.Errorf("resumed with %v", in)
		}
		noError(t, w.Close())
	})
}

func TestManyWatchesAreSpreadOverTheNodes(t *testing.T) {
	s := newStage(t, three...)
	s.each(func(n *node) { n.on("Watch", streams(nil, n.started(5))) })
	c := s.client(three)
	for range 9 {
		w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind, Read: []client.ReadOption{client.WithFollowerReadIndex()}})
		noError(t, err)
		defer w.Close()
	}
	s.each(func(n *node) {
		if got := n.count("Watch"); got != 3 {
			t.Errorf("%s serves %d of 9 watches", n.name, got)
		}
	})
}
