package servertest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
)

// watches is a stream of watches of namespaces, and what came over it.
type watches struct {
	t      *testing.T
	stream candorv1.CallService_WatchesClient
	limit  int
	last   uint64

	mu     sync.Mutex
	events map[uint64][]uint64
	ends   map[uint64]error
	ended  chan error
}

func openWatches(ctx context.Context, t *testing.T, conn *grpc.ClientConn) *watches {
	t.Helper()
	stream, err := candorv1.NewCallServiceClient(conn).Watches(ctx)
	noError(t, err)
	first, err := stream.Recv()
	noError(t, err)
	w := &watches{t: t, stream: stream, limit: int(first.GetLimit()), events: map[uint64][]uint64{}, ends: map[uint64]error{}, ended: make(chan error, 1)}
	go w.receive()
	return w
}

func (w *watches) receive() {
	for {
		m, err := w.stream.Recv()
		if err != nil {
			w.ended <- err
			return
		}
		w.mu.Lock()
		for _, d := range m.GetDeliveries() {
			for _, id := range d.GetWatches() {
				w.take(id, d)
			}
		}
		w.mu.Unlock()
	}
}

func (w *watches) take(id uint64, d *candorv1.Delivery) {
	if _, over := w.ends[id]; over {
		w.t.Errorf("watch %d is told something after its end", id)
	}
	if len(d.GetResponse()) == 0 {
		var p spb.Status
		if err := proto.Unmarshal(d.GetStatus(), &p); err != nil {
			w.t.Error(err)
		}
		w.ends[id] = convert.ErrorFromStatus(status.ErrorProto(&p))
		return
	}
	var m candorv1.WatchResponse
	if err := proto.Unmarshal(d.GetResponse(), &m); err != nil {
		w.t.Error(err)
	}
	for _, e := range m.GetEvents() {
		w.events[id] = append(w.events[id], e.GetRevision())
	}
}

// open begins a watch with so much credit.
func (w *watches) open(credit uint64) uint64 {
	w.t.Helper()
	in, err := proto.Marshal(&candorv1.WatchRequest{Kind: string(candor.KindNamespaces), BookmarkIntervalMs: 1 << 20})
	noError(w.t, err)
	w.last++
	w.send(&candorv1.WatchesRequest{Opened: []*candorv1.WatchOpening{{Id: w.last, Request: in, Credit: credit}}})
	return w.last
}

func (w *watches) send(m *candorv1.WatchesRequest) {
	w.t.Helper()
	noError(w.t, w.stream.Send(m))
	synctest.Wait()
}

func (w *watches) seen(id uint64) []uint64 {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events[id])
}

// end is why the watch ended, and whether it has.
func (w *watches) end(id uint64) (over bool, err error) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	err, over = w.ends[id]
	return over, err
}

const plenty = 1 << 20

// TestAWatchWithoutCreditWaitsAndNoOtherDoes: with credit again it goes on where it
// stood, and the server held next to nothing for it.
func TestAWatchWithoutCreditWaitsAndNoOtherDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		w := openWatches(t.Context(), t, dial(t, c, c.Leader().Name()))
		k := c.Client(t)
		slow, quick, another := w.open(1), w.open(plenty), w.open(plenty)
		var made []uint64
		for i := range 20 {
			made = append(made, must(t, k, accessObject("Namespace", fmt.Sprintf("made-%d", i), `{}`)).Token.Revision)
		}
		c.Settle()
		if got := w.seen(slow); len(got) > 0 {
			t.Errorf("the watch without credit was told of %v", got)
		}
		for _, id := range []uint64{quick, another} {
			if got := w.seen(id); !slices.Equal(got, made) {
				t.Errorf("watch %d saw %v, want %v", id, got, made)
			}
		}
		w.send(&candorv1.WatchesRequest{Credits: []*candorv1.WatchCredit{{Id: slow, Bytes: plenty}}})
		if got := w.seen(slow); !slices.Equal(got, made) {
			t.Errorf("with credit again it saw %v, want %v", got, made)
		}
	})
}

// TestAWatchThatIsClosedGivesItsPlaceBack, also one that waited for credit.
func TestAWatchThatIsClosedGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, withLimits(map[string]string{"watches": "4", "watches-per-identity": "2"}))
		w := openWatches(t.Context(), t, dial(t, c, c.Leader().Name()))
		first, second, third := w.open(plenty), w.open(0), w.open(plenty)
		if over, err := w.end(third); !over || candor.ReasonOf(err) != candor.ReasonQueueSaturated {
			t.Errorf("the third ended: %v, %v; want it refused", over, err)
		}
		w.send(&candorv1.WatchesRequest{Closed: []uint64{second, 99}})
		if over, err := w.end(second); !over || status.Code(err) != codes.Canceled && candor.ReasonOf(err) != candor.ReasonCanceled {
			t.Errorf("the second ended: %v, %v; want it canceled", over, err)
		}
		fourth := w.open(plenty)
		for _, id := range []uint64{first, fourth} {
			if over, err := w.end(id); over {
				t.Errorf("watch %d ended: %v", id, err)
			}
		}
	})
}

// TestATokenThatIsRevokedEndsItsWatchesAndNotTheStream: whoever comes without a right
// is refused as without the stream.
func TestATokenThatIsRevokedEndsItsWatchesAndNotTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := openAccess(t, servertest.Start(t))
		p := k.party("ana", "operator")
		w := openWatches(p.context(), t, p.conn)
		before := w.open(plenty)
		if over, err := w.end(before); over {
			t.Fatal(err)
		}
		b, err := candor.ParseBearer(p.bearer)
		noError(t, err)
		_, err = k.root.Delete(t.Context(), candor.Ref{Kind: candor.KindTokens, Name: b.Accessor})
		noError(t, err)
		k.settle()
		after := w.open(plenty)
		for _, id := range []uint64{before, after} {
			over, err := w.end(id)
			if !over {
				t.Fatalf("watch %d goes on", id)
			}
			wantReason(t, err, candor.ReasonUnauthenticated)
		}
		select {
		case err := <-w.ended:
			t.Errorf("the stream ended: %v", err)
		default:
		}
	})
}

// TestAServerThatStopsEndsItsWatchesAndThenTheStream, those too that wait for credit.
func TestAServerThatStopsEndsItsWatchesAndThenTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		w := openWatches(t.Context(), t, dial(t, c, c.Leader().Name()))
		all := []uint64{w.open(plenty), w.open(0)}
		began := time.Now()
		c.Stop(c.Leader().Name())
		if err := <-w.ended; !errors.Is(err, io.EOF) {
			t.Errorf("the stream ended with %v", err)
		}
		for _, id := range all {
			_, err := w.end(id)
			wantReason(t, err, candor.ReasonShuttingDown)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestAStreamOfWatchesThatBreaksItsBoundsEnds: numbers that do not ascend, and more
// watches than the server said.
func TestAStreamOfWatchesThatBreaksItsBoundsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, withLimits(map[string]string{"watches": "5000", "watches-per-identity": "5000"}))
		for name, spoil := range map[string]func(w *watches){
			"no number":    func(w *watches) { w.last--; w.open(1) },
			"number twice": func(w *watches) { w.open(1); w.last--; w.open(1) },
			"too many": func(w *watches) {
				request, err := proto.Marshal(&candorv1.WatchRequest{Kind: string(candor.KindNamespaces)})
				noError(t, err)
				in := &candorv1.WatchesRequest{}
				for i := range w.limit + 1 { // none of them ends for want of credit
					in.Opened = append(in.Opened, &candorv1.WatchOpening{Id: uint64(i + 1), Request: request})
				}
				w.send(in)
			},
		} {
			w := openWatches(t.Context(), t, dial(t, c, c.Leader().Name()))
			spoil(w)
			select {
			case err := <-w.ended:
				wantReason(t, convert.ErrorFromStatus(err), candor.ReasonInvalid)
			case <-time.After(time.Minute):
				t.Errorf("%s: the stream goes on", name)
			}
		}
	})
}

// TestWatchesOverAStreamThatBreaksGoOnWithoutGapOrDuplicate: each where it stood, at
// another server.
func TestWatchesOverAStreamThatBreaksGoOnWithoutGapOrDuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		const count, writes = 12, 30
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var watching sync.WaitGroup
		saw := make([][]uint64, count)
		for i := range count {
			w, err := k.Watch(ctx, client.WatchOptions{Kind: candor.KindNamespaces, Read: []client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort)}})
			noError(t, err)
			defer w.Close()
			watching.Go(func() {
				for len(saw[i]) < writes {
					batch, err := w.Next(ctx)
					if err != nil {
						t.Errorf("watch %d after %v: %v", i, saw[i], err)
						return
					}
					for _, e := range batch.Events {
						saw[i] = append(saw[i], e.Revision)
						e.Object.Metadata.Labels = map[string]string{"mine": "yes"} // nobody else's
					}
				}
			})
		}
		var made []uint64
		for i := range writes {
			if i == writes/2 {
				c.Kill(c.Follower().Name())
			}
			made = append(made, must(t, k, accessObject("Namespace", fmt.Sprintf("written-%d", i), `{}`)).Token.Revision)
		}
		watching.Wait()
		for i := range saw {
			if !slices.Equal(saw[i], made) {
				t.Errorf("watch %d saw %v, want %v", i, saw[i], made)
			}
		}
	})
}
