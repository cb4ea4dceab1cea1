package servertest_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
)

// watched is one stream of one server, without a client's resumption.
type watched struct {
	mu        sync.Mutex
	events    []uint64
	bookmarks []*candor.Witness
	ended     error
	endedAt   time.Time
}

func watchOn(t testing.TB, r *reader, read *candorv1.ReadOptions, after uint64) *watched {
	t.Helper()
	stream, err := r.api.Watch(t.Context(), &candorv1.WatchRequest{
		Kind: string(candor.KindNamespaces), AfterRevision: after, Read: read, BookmarkIntervalMs: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{}
	go func() {
		for {
			m, err := stream.Recv()
			w.mu.Lock()
			if err != nil {
				if refused, ok := convert.Refusal(err); ok {
					err = refused
				}
				w.ended, w.endedAt = err, time.Now()
				w.mu.Unlock()
				return
			}
			for _, e := range m.GetEvents() {
				w.events = append(w.events, e.GetRevision())
			}
			if m.GetType() == candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_BOOKMARK {
				w.bookmarks = append(w.bookmarks, convert.WitnessFromProto(m.GetWitness()))
			}
			w.mu.Unlock()
		}
	}()
	return w
}

func (w *watched) end() (at time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.endedAt, w.ended
}

func (w *watched) modes() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.bookmarks {
		out = append(out, string(b.Mode)+" "+b.DegradedReason)
	}
	return out
}

// TestABoundedWatchEndsOnceItsBoundLapses on a follower that is cut off, soon
// after, and for that reason; one that promises nothing goes on and says what
// became of its node.
func TestABoundedWatchEndsOnceItsBoundLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		at := mustCreate(t, c.Client(t), "one").Token.Revision
		cut := c.Follower()
		r := readerOf(t, c, cut)
		time.Sleep(time.Second)
		tight, loose, none := watchOn(t, r, bounded(400*time.Millisecond), at), watchOn(t, r, bounded(2*time.Second), at), watchOn(t, r, weak(), at)
		time.Sleep(5 * time.Second)
		for _, w := range []*watched{tight, loose, none} {
			if _, err := w.end(); err != nil || len(w.modes()) > 0 {
				t.Fatalf("on a healthy node: %v, bookmarks %v", err, w.modes())
			}
		}
		c.Isolate(cut.Name())
		since := time.Now()
		time.Sleep(10 * time.Second)
		for _, x := range []struct {
			watch *watched
			bound time.Duration
		}{{tight, 400 * time.Millisecond}, {loose, 2 * time.Second}} {
			at, err := x.watch.end()
			if candor.ReasonOf(err) != candor.ReasonStalenessExceeded {
				t.Errorf("bounded by %s: ended with %v", x.bound, err)
			}
			// The last proof is an interval old at most; it takes up to a quarter of the
			// bound to look, and two questions to find out that nobody answers.
			if after := at.Sub(since); after < x.bound-150*time.Millisecond || after > x.bound*5/4+1100*time.Millisecond {
				t.Errorf("bounded by %s: ended %s after the cut", x.bound, after)
			}
		}
		if _, err := none.end(); err != nil || !slices.Equal(none.modes(), []string{"ROOT_LAGGING PROOF_AGE", "ROOT_UNAVAILABLE NO_PROOF"}) {
			t.Errorf("without a promise: ended with %v, bookmarks %v", err, none.modes())
		}
		c.Heal()
		c.Until("it says that it is well again", func() bool {
			modes := none.modes()
			return modes[len(modes)-1] == string(candor.ModeHealthy)+" "
		})
	})
}

// TestABoundedWatchGoesOnElsewhereWithoutGapOrDuplicate when its node is cut off.
func TestABoundedWatchGoesOnElsewhereWithoutGapOrDuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		first := mustCreate(t, c.Client(t), "first").Token.Revision
		ctx, cancel := within(5 * time.Minute)
		defer cancel()
		k := c.Client(t)
		watch, err := k.Watch(ctx, client.WatchOptions{
			Kind: candor.KindNamespaces, AfterRevision: first,
			Read: []client.ReadOption{client.WithFreshness(candor.FreshnessBounded), client.WithMaxStaleness(500 * time.Millisecond)},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		var want, got []string
		next := func(name string, through *client.Client) {
			t.Helper()
			revision := mustCreate(t, through, name).Token.Revision
			want = append(want, fmt.Sprintf("%s@%d", name, revision))
			for watch.Revision() < revision {
				batch, err := watch.Next(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range batch.Events {
					got = append(got, fmt.Sprintf("%s@%d", e.Object.Metadata.Name, e.Revision))
				}
			}
		}
		served := map[string]bool{}
		for i := range 6 {
			next(fmt.Sprintf("before-%d", i), c.Client(t))
			on := watch.Witness().NodeName
			served[on] = true
			c.Isolate(on)
			rest := c.Client(t, slices.DeleteFunc(names(c.Servers()), func(n string) bool { return n == on })...)
			next(fmt.Sprintf("cut-%d", i), rest)
			if now := watch.Witness().NodeName; now == on {
				t.Errorf("it has what was written elsewhere from %s, which is cut off", on)
			}
			c.Heal()
			time.Sleep(2 * time.Second)
		}
		if !slices.Equal(got, want) || len(served) < 2 {
			t.Errorf("watched on %v %v, want %v", served, got, want)
		}
	})
}

// TestAStreamThatEndsWithItsServerEndsOnce.
func TestAStreamThatEndsWithItsServerEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		r := readerOf(t, c, c.Follower())
		time.Sleep(time.Second)
		told := follow(t, r)
		w := watchOn(t, r, bounded(time.Second), 0)
		time.Sleep(time.Second)
		c.Stop(r.server.Name())
		c.Until("the stream ends", func() bool { _, err := w.end(); return err != nil })
		if _, err := w.end(); candor.ReasonOf(err) != candor.ReasonShuttingDown && !errors.Is(err, io.EOF) {
			t.Errorf("ended with %v", err)
		}
		told.wantSteady(t)
	})
}
