package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// carries serves a stream of calls: each goes to the script of its method. Not more
// than limit may be without an answer.
func (n *node) carries(t *testing.T, limit int) script {
	return func(s *call) error {
		if err := s.send(&candorv1.CallsResponse{Limit: uint32(limit)}); err != nil {
			return err
		}
		var (
			running sync.WaitGroup
			mu      sync.Mutex
			open    = map[uint64]context.CancelFunc{}
		)
		defer running.Wait()
		for {
			var in candorv1.CallsRequest
			if err := s.recv(&in); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			for _, of := range in.GetCalls() {
				ctx, cancel := context.WithTimeout(s.Context, time.Duration(of.GetTimeout()))
				mu.Lock()
				open[of.GetId()] = cancel
				if len(open) > limit {
					t.Errorf("%d calls have no answer, want at most %d", len(open), limit)
				}
				mu.Unlock()
				running.Go(func() {
					defer cancel()
					answer := n.carried(ctx, s, of)
					mu.Lock()
					defer mu.Unlock()
					delete(open, of.GetId())
					_ = s.send(&candorv1.CallsResponse{Answers: []*candorv1.Answer{answer}})
				})
			}
			mu.Lock()
			for _, id := range in.GetCancelled() {
				if cancel := open[id]; cancel != nil {
					cancel()
				}
			}
			mu.Unlock()
		}
	}
}

// carried has the method's script answer one call.
func (n *node) carried(ctx context.Context, s *call, of *candorv1.Call) *candorv1.Answer {
	answer := &candorv1.Answer{Id: of.GetId()}
	in, err := requestOf(of.GetMethod())
	if err == nil {
		err = proto.Unmarshal(of.GetRequest(), in)
	}
	if err == nil {
		c := &call{Context: ctx, node: n, method: of.GetMethod()[strings.LastIndexByte(of.GetMethod(), '/')+1:], in: in, actor: s.actor, carried: true}
		if md, ok := metadata.FromIncomingContext(s.Context); ok {
			c.actor = strings.Join(md.Get("candor-actor"), ",")
		}
		c.send = func(m proto.Message) error { answer.Response, err = proto.Marshal(m); return err }
		n.mu.Lock()
		n.calls = append(n.calls, c)
		f := n.scripts[c.method]
		n.mu.Unlock()
		err = wire(f(c))
	}
	if err != nil {
		answer.Status, _ = proto.Marshal(status.Convert(err).Proto())
	}
	return answer
}

// onStream are the calls that came over a stream.
func (n *node) onStream(method string) (calls []*call) {
	for _, c := range n.arrived(method) {
		if c.carried {
			calls = append(calls, c)
		}
	}
	return calls
}

// leading has one node that leads and acknowledges writes, and a client that has
// written until a stream was opened.
func leading(t *testing.T, calls func(n *node) script, configure ...func(*client.Config)) (*node, *client.Client) {
	t.Helper()
	s := newStage(t, "n1")
	n := s.node("n1")
	n.on("Status", n.statuses(token(1), n))
	n.on("Create", n.writes(token(2)))
	if calls != nil {
		n.on("Calls", calls(n))
	}
	c := s.client([]string{"n1"}, configure...)
	for range 8 {
		if _, err := c.Create(t.Context(), deployment()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if calls != nil && n.count("Calls") > 0 {
			break
		}
	}
	return n, c
}

func carrying(t *testing.T, limit int) func(n *node) script {
	return func(n *node) script { return n.carries(t, limit) }
}

func TestWritesGoTogetherOnceThereAreMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c := leading(t, carrying(t, 100))
		before := n.count("Create")
		if _, err := c.Create(t.Context(), deployment(), client.WithRequestID("mine")); err != nil {
			t.Fatal(err)
		}
		got := n.onStream("Create")
		if len(got) != 1 || n.count("Create") != before+1 || got[0].actor != "ana" {
			t.Fatalf("%d of %d writes came over the stream, %+v; want the last one, of ana", len(got), n.count("Create"), got)
		}
		w := got[0].in.(*candorv1.CreateRequest).GetWrite()
		if deadline, ok := got[0].Deadline(); w.GetRequestId() != "mine" || w.GetNotAfter() == 0 || !ok || time.Until(deadline) > client.DefaultAttemptTimeout {
			t.Errorf("%v with deadline %v", w, deadline)
		}
		if n.count("Calls") != 1 {
			t.Errorf("%d streams", n.count("Calls"))
		}
	})
}

func TestWritesToAServerWithoutStreamsGoByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c := leading(t, nil)
		for range 30 {
			if _, err := c.Create(t.Context(), deployment()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // of virtual time
		}
		if n.count("Calls") != 1 || n.count("Create") != 38 {
			t.Errorf("%d streams and %d writes; want one attempt and 38", n.count("Calls"), n.count("Create"))
		}
	})
}

func TestAUnaryClientOpensNoStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := leading(t, nil, func(c *client.Config) { c.Unary = true })
		if n.count("Calls") != 0 {
			t.Error("it opened a stream")
		}
	})
}

func TestNoMoreCallsAreUnderWayThanTheServerSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c := leading(t, carrying(t, 3))
		n.on("Create", func(c *call) error {
			time.Sleep(10 * time.Millisecond) // of virtual time
			return n.writes(token(3))(c)
		})
		var writers sync.WaitGroup
		for range 50 {
			writers.Go(func() {
				if _, err := c.Create(t.Context(), deployment()); err != nil {
					t.Error(err)
				}
			})
		}
		writers.Wait()
		if got := len(n.onStream("Create")); got != 50 {
			t.Errorf("%d of 50 writes came over the stream", got)
		}
	})
}

// Who waits for room surely did nothing; what became of a call that was sent is not
// known. Both end when their caller's time is up, and the server hears of the one.
func TestAWriteOverASilentStreamEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c := leading(t, carrying(t, 1))
		over := make(chan time.Duration, 1)
		n.on("Create", func(c *call) error {
			began := time.Now()
			<-c.Done()
			over <- time.Since(began)
			return c.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		began := time.Now()
		var writers sync.WaitGroup
		writers.Go(func() {
			_, err := c.Create(ctx, deployment(), client.WithRequestID("sent"))
			wantEnd(t, err, candor.ReasonOutcomeUnknown, began, 500*time.Millisecond)
		})
		synctest.Wait()
		writers.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := c.Create(ctx, deployment(), client.WithRequestID("waits"))
			wantEnd(t, err, candor.ReasonTimedOut, began, 300*time.Millisecond)
		})
		writers.Wait()
		if took := <-over; took > 501*time.Millisecond {
			t.Errorf("the server heard of it after %s", took)
		}
		if got := n.onStream("Create"); len(got) != 1 {
			t.Errorf("%d calls arrived", len(got))
		}
	})
}

func wantEnd(t *testing.T, err error, want candor.Reason, began time.Time, after time.Duration) {
	t.Helper()
	if took := time.Since(began); candor.ReasonOf(err) != want || took < after || took > after+time.Millisecond {
		t.Errorf("after %s: %v; want %s after %s", took, err, want, after)
	}
}

// A write that its caller gives up is given up at the server.
func TestACanceledWriteIsCanceledAtTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c := leading(t, carrying(t, 10))
		arrived, over := make(chan struct{}), make(chan error, 1)
		n.on("Create", func(c *call) error {
			close(arrived)
			<-c.Done()
			over <- c.Err()
			return c.Err()
		})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		_, err := c.Create(ctx, deployment())
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("the server's call ended with %v", err)
		}
	})
}

// What a server did not take it never made: the call is made without the stream, in
// the same attempt.
func TestCallsThatAClosingServerDidNotTakeGoByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c := leading(t, func(*node) script {
			return func(s *call) error {
				if err := s.send(&candorv1.CallsResponse{Limit: 10}); err != nil {
					return err
				}
				if err := s.recv(new(candorv1.CallsRequest)); err != nil {
					return err
				}
				return s.send(&candorv1.CallsResponse{Closing: true})
			}
		})
		before := n.count("Create")
		if _, err := c.Create(t.Context(), deployment(), client.WithRequestID("moved")); err != nil {
			t.Fatal(err)
		}
		if n.count("Create") != before+1 {
			t.Errorf("the write arrived %d times", n.count("Create")-before)
		}
	})
}

// What was under way when a stream broke may have been made: the same request goes
// again, and its ID tells.
func TestAWriteOnAStreamThatBreaksIsRepeatedUnderItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent candorv1.CallsRequest
		n, c := leading(t, func(*node) script {
			return func(s *call) error {
				if err := s.send(&candorv1.CallsResponse{Limit: 10}); err != nil {
					return err
				}
				if err := s.recv(&sent); err != nil {
					return err
				}
				return refuses(&candor.Error{Reason: candor.ReasonInvalid, Message: "the stream itself"})(s)
			}
		})
		if _, err := c.Create(t.Context(), deployment(), client.WithRequestID("again")); err != nil {
			t.Fatal(err)
		}
		var first candorv1.CreateRequest
		if err := proto.Unmarshal(sent.GetCalls()[0].GetRequest(), &first); err != nil {
			t.Fatal(err)
		}
		all := n.arrived("Create")
		second := all[len(all)-1].in.(*candorv1.CreateRequest)
		if !proto.Equal(&first, second) || second.GetWrite().GetRequestId() != "again" {
			t.Errorf("%v was repeated as %v", &first, second)
		}
		// Nobody decided on it if it cannot be repeated.
		n.on("Create", func(*call) error { return status.Error(codes.Unavailable, "down") })
		time.Sleep(2 * time.Second) // of virtual time: a new stream may be opened
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Create(ctx, deployment(), client.WithRequestID("unknown"))
		wantReason(t, err, candor.ReasonOutcomeUnknown)
	})
}

// A refusal is followed as ever: to the leader that it names.
func TestARefusalOverAStreamIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1", "n2")
		n1, n2 := s.node("n1"), s.node("n2")
		n1.on("Status", n1.statuses(token(1), n1))
		n1.on("Create", n1.writes(token(2)))
		n1.on("Calls", n1.carries(t, 10))
		n2.on("Create", n2.writes(token(9)))
		c := s.client([]string{"n1"})
		for range 5 {
			if _, err := c.Create(t.Context(), deployment()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if len(n1.onStream("Create")) == 0 {
			t.Fatal("no write came over a stream")
		}
		n1.on("Create", notLeader(n2, 2))
		got, err := c.Create(t.Context(), deployment())
		if err != nil || got.Token.Index != 9 {
			t.Errorf("%+v, %v; want it made by n2", got, err)
		}
	})
}

func TestALargeWriteGoesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c := leading(t, carrying(t, 10))
		large := deployment()
		large.Spec = fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 100<<10))
		if _, err := c.Create(t.Context(), large); err != nil {
			t.Fatal(err)
		}
		if len(n.onStream("Create")) != 0 {
			t.Error("others would have waited for it")
		}
	})
}

// FuzzCallsAnswers: whatever a server sends over a stream, nothing panics, every
// write ends in its time, and a success is one that somebody answered.
func FuzzCallsAnswers(f *testing.F) {
	add := func(m *candorv1.CallsResponse) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	add(&candorv1.CallsResponse{Answers: []*candorv1.Answer{{Id: 1}, {Id: 1}, {Id: 2, Status: []byte{0xff}}}})
	add(&candorv1.CallsResponse{Answers: []*candorv1.Answer{{Id: 1, Response: []byte{0xff}}}})
	add(&candorv1.CallsResponse{Closing: true, Taken: 1})
	add(&candorv1.CallsResponse{Closing: true, Taken: 1 << 60, Limit: 5, Answers: []*candorv1.Answer{{Id: 7, Status: []byte{8, 0}}}})
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(candorv1.CallsResponse)
		if proto.Unmarshal(data, m) != nil {
			m.Closing = true
		}
		synctest.Test(t, func(t *testing.T) {
			_, c := leading(t, func(*node) script {
				return func(s *call) error {
					if err := s.send(&candorv1.CallsResponse{Limit: 2}); err != nil {
						return err
					}
					for {
						if err := s.recv(new(candorv1.CallsRequest)); err != nil {
							return err
						}
						if err := s.send(m); err != nil {
							return err
						}
					}
				}
			})
			var writers sync.WaitGroup
			for range 4 {
				writers.Go(func() {
					began := time.Now()
					_, err := c.Create(t.Context(), deployment())
					if took := time.Since(began); took > client.DefaultTimeout+time.Millisecond {
						t.Errorf("it took %s: %v", took, err)
					}
				})
			}
			writers.Wait()
		})
	})
}
