package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// carriesWatches serves a stream of watches: each goes to the script of Watch.
func (n *node) carriesWatches(t *testing.T, limit int) script {
	return func(s *call) error {
		if err := s.send(&candorv1.WatchesResponse{Limit: uint32(limit)}); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(s.Context)
		var (
			running sync.WaitGroup
			mu      sync.Mutex
			open    = map[uint64]context.CancelFunc{}
		)
		defer running.Wait()
		defer cancel()
		for {
			var in candorv1.WatchesRequest
			if err := s.recv(&in); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			mu.Lock()
			for _, o := range in.GetOpened() {
				ctx, cancel := context.WithCancel(ctx)
				open[o.GetId()] = cancel
				if len(open) > limit {
					t.Errorf("%d watches are open, want at most %d", len(open), limit)
				}
				running.Go(func() {
					defer cancel()
					end := n.carriedWatch(ctx, s, &mu, o)
					mu.Lock()
					defer mu.Unlock()
					delete(open, o.GetId())
					encoded, _ := proto.Marshal(status.Convert(end).Proto())
					_ = s.send(&candorv1.WatchesResponse{Deliveries: []*candorv1.Delivery{{Watches: []uint64{o.GetId()}, Status: encoded}}})
				})
			}
			for _, id := range in.GetClosed() {
				if cancel := open[id]; cancel != nil {
					cancel()
				}
			}
			mu.Unlock()
		}
	}
}

// carriedWatch has the script of Watch serve one watch.
func (n *node) carriedWatch(ctx context.Context, s *call, mu *sync.Mutex, of *candorv1.WatchOpening) error {
	in := new(candorv1.WatchRequest)
	if err := proto.Unmarshal(of.GetRequest(), in); err != nil {
		return err
	}
	c := &call{Context: ctx, node: n, method: "Watch", in: in, carried: true}
	if md, ok := metadata.FromIncomingContext(s.Context); ok {
		c.actor = strings.Join(md.Get("candor-actor"), ",")
	}
	c.send = func(m proto.Message) error {
		encoded, err := proto.Marshal(m)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		return s.send(&candorv1.WatchesResponse{Deliveries: []*candorv1.Delivery{{Watches: []uint64{of.GetId()}, Response: encoded}}})
	}
	n.mu.Lock()
	n.calls = append(n.calls, c)
	f := n.scripts["Watch"]
	n.mu.Unlock()
	return wire(f(c))
}

// watching has one node that serves watches over streams, and so many watches of it.
func watching(t *testing.T, limit, count int, configure ...func(*client.Config)) (*node, []*client.Watch) {
	t.Helper()
	s := newStage(t, "n1")
	n := s.node("n1")
	if limit > 0 {
		n.on("Watches", n.carriesWatches(t, limit))
	}
	n.on("Watch", streams(nil, n.started(5), recorded(6), recorded(7)))
	c := s.client([]string{"n1"}, configure...)
	var all []*client.Watch
	for range count {
		w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
		noError(t, err)
		t.Cleanup(func() { noError(t, w.Close()) })
		all = append(all, w)
	}
	return n, all
}

func TestWatchesOfAConnectionShareAStream(t *testing.T) {
	for name, row := range map[string]struct {
		limit, carried, streams int
		configure               func(*client.Config)
	}{
		"all":              {100, 6, 1, nil},
		"up to the limit":  {4, 4, 1, nil},
		"old server":       {0, 0, 1, nil},
		"a unary client":   {100, 0, 0, func(c *client.Config) { c.Unary = true }},
		"the limit is one": {1, 1, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if row.configure == nil {
					row.configure = func(*client.Config) {}
				}
				n, all := watching(t, row.limit, 6, row.configure)
				for _, w := range all {
					if got := revisionsUntil(t, w, 7); !slices.Equal(got, []uint64{6, 7}) {
						t.Errorf("delivered %v", got)
					}
				}
				if got := n.onStream("Watch"); len(got) != row.carried || n.count("Watch") != 6 || n.count("Watches") != row.streams {
					t.Errorf("%d of %d watches came over %d streams", len(got), n.count("Watch"), n.count("Watches"))
				}
				for _, c := range n.arrived("Watch") {
					if c.actor != "ana" {
						t.Errorf("a watch came of %q", c.actor)
					}
				}
			})
		})
	}
}

// Whatever ends the stream, each watch goes on where it stood.
func TestWatchesOnAStreamThatBreaksGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n := s.node("n1")
		n.on("Watches", n.carriesWatches(t, 100))
		n.on("Watch", func(c *call) error {
			at := max(5, watched(c).GetAfterRevision())
			return streams(nil, n.started(at), recorded(at+1), recorded(at+2))(c)
		})
		c := s.client([]string{"n1"})
		var all []*client.Watch
		for range 5 {
			w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
			noError(t, err)
			defer w.Close()
			if got := revisionsUntil(t, w, 7); !slices.Equal(got, []uint64{6, 7}) {
				t.Errorf("delivered %v", got)
			}
			all = append(all, w)
		}
		n.stop()
		n.start()
		for _, w := range all {
			if got := revisionsUntil(t, w, 9); !slices.Equal(got, []uint64{8, 9}) {
				t.Errorf("delivered %v after the stream broke", got)
			}
		}
	})
}

// told serves a stream of watches: it sends what the test says, and hears everything.
type told struct {
	heard chan *candorv1.WatchesRequest
	say   chan *candorv1.WatchesResponse
}

func (n *node) tells() *told {
	x := &told{heard: make(chan *candorv1.WatchesRequest, 100), say: make(chan *candorv1.WatchesResponse)}
	n.on("Watches", func(s *call) error {
		if err := s.send(&candorv1.WatchesResponse{Limit: 10}); err != nil {
			return err
		}
		var hearing sync.WaitGroup
		defer hearing.Wait()
		hearing.Go(func() {
			for {
				in := new(candorv1.WatchesRequest)
				if s.recv(in) != nil {
					return
				}
				x.heard <- in
			}
		})
		for {
			select {
			case m := <-x.say:
				if err := s.send(m); err != nil {
					return err
				}
			case <-s.Done():
				return nil
			}
		}
	})
	return x
}

func (x *told) tell(t *testing.T, m *candorv1.WatchResponse, watches ...uint64) {
	t.Helper()
	encoded, err := proto.Marshal(m)
	noError(t, err)
	x.say <- &candorv1.WatchesResponse{Deliveries: []*candorv1.Delivery{{Watches: watches, Response: encoded}}}
}

// both has two watches over one stream.
func both(t *testing.T) (*told, [2]*client.Watch) {
	t.Helper()
	s := newStage(t, "n1")
	n := s.node("n1")
	x := n.tells()
	c := s.client([]string{"n1"})
	var all [2]*client.Watch
	for i := range all {
		go func() {
			<-x.heard
			x.tell(t, n.started(5), uint64(i+1))
		}()
		w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
		noError(t, err)
		t.Cleanup(func() { noError(t, w.Close()) })
		_, err = w.Next(t.Context())
		noError(t, err)
		all[i] = w
	}
	return x, all
}

// What several watches are told at once is each one's own: their callers may do with it
// what they like.
func TestWhatWatchesAreToldTogetherIsEachOnesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, all := both(t)
		x.tell(t, recorded(6, 7), 1, 2, 99)
		first, err := all[0].Next(t.Context())
		noError(t, err)
		want := string(first.Events[1].Object.Spec)
		for i := range first.Events {
			o := first.Events[i].Object
			clear(o.Spec)
			o.Metadata.Name = "other"
		}
		second, err := all[1].Next(t.Context())
		noError(t, err)
		if len(second.Events) != 2 || string(second.Events[1].Object.Spec) != want || want == "" || second.Events[1].Object.Metadata.Name == "other" {
			t.Errorf("the second was told %+v", second.Events)
		}
	})
}

// A watch that nobody reads holds up no other; what was read is credited, and a watch
// that is closed is closed at the server.
func TestAWatchThatNobodyReadsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, all := both(t)
		large := func(revision uint64) *candorv1.WatchResponse {
			m := recorded(revision)
			m.Events[0].Object.Spec = fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 100<<10))
			return m
		}
		for revision := uint64(6); revision < 8; revision++ {
			x.tell(t, large(revision), 1, 2)
			if got := revisionsUntil(t, all[1], revision); !slices.Equal(got, []uint64{revision}) {
				t.Errorf("delivered %v", got)
			}
		}
		credit := (<-x.heard).GetCredits()
		if len(credit) != 1 || credit[0].GetId() != 2 || credit[0].GetBytes() < 200<<10 {
			t.Errorf("credited %v", credit)
		}
		noError(t, all[0].Close())
		if in := <-x.heard; !slices.Equal(in.GetClosed(), []uint64{1}) || len(in.GetCredits()) > 0 {
			t.Errorf("the server heard %v, want watch 1 closed", in)
		}
		x.tell(t, large(8), 2)
		if got := revisionsUntil(t, all[1], 8); !slices.Equal(got, []uint64{8}) {
			t.Errorf("delivered %v", got)
		}
	})
}

// A server that sends a watch more than it had credit for does not fill the client.
func TestAWatchIsNotToldMoreThanItHasCreditFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, _ := both(t)
		m := recorded(6)
		m.Events[0].Object.Spec = fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 300<<10))
		x.tell(t, m, 1)
		x.tell(t, m, 1)
		if in := <-x.heard; !slices.Equal(in.GetClosed(), []uint64{1}) {
			t.Errorf("the server heard %v, want watch 1 closed", in)
		}
	})
}

// FuzzWatchesResponses: whatever a server sends over a stream, nothing panics, and a
// watch begins or fails in its time.
func FuzzWatchesResponses(f *testing.F) {
	add := func(m *candorv1.WatchesResponse) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	started, err := proto.Marshal(&candorv1.WatchResponse{Type: candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_STARTED, Revision: 5})
	if err != nil {
		f.Fatal(err)
	}
	add(&candorv1.WatchesResponse{Deliveries: []*candorv1.Delivery{{Watches: []uint64{1, 1, 2, 1 << 60}, Response: started}, {Watches: []uint64{1}}}})
	add(&candorv1.WatchesResponse{Deliveries: []*candorv1.Delivery{{Watches: []uint64{1, 2}, Response: []byte{0xff}}, {Status: []byte{0xff}}}})
	add(&candorv1.WatchesResponse{Deliveries: []*candorv1.Delivery{{Watches: []uint64{1, 1, 1}, Status: []byte{8, 5}}}, Limit: 1})
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(candorv1.WatchesResponse)
		if proto.Unmarshal(data, m) != nil {
			m.Limit = 1
		}
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, "n1")
			s.node("n1").on("Watches", func(c *call) error {
				if err := c.send(&candorv1.WatchesResponse{Limit: 2}); err != nil {
					return err
				}
				for {
					if err := c.recv(new(candorv1.WatchesRequest)); err != nil {
						return err
					}
					if err := c.send(m); err != nil {
						return err
					}
				}
			})
			s.node("n1").on("Watch", refuses(&candor.Error{Reason: candor.ReasonForbidden}))
			c := s.client([]string{"n1"})
			var watchers sync.WaitGroup
			for range 4 {
				watchers.Go(func() {
					began := time.Now()
					w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
					if err == nil {
						err = w.Close()
					}
					if took := time.Since(began); took > client.DefaultTimeout+time.Millisecond {
						t.Errorf("it took %s: %v", took, err)
					}
				})
			}
			watchers.Wait()
		})
	})
}
