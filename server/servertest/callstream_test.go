package servertest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
)

// collected receives a stream's answers beside the test.
type collected struct {
	t       *testing.T
	calls   *calls
	answers chan *candorv1.Answer
	closing chan uint64
	ended   chan error
}

func collect(t *testing.T, c *calls) *collected {
	t.Helper()
	k := &collected{t: t, calls: c, answers: make(chan *candorv1.Answer, c.limit), closing: make(chan uint64, 1), ended: make(chan error, 1)}
	go func() {
		for {
			m, err := c.stream.Recv()
			if err != nil {
				k.ended <- err
				return
			}
			for _, a := range m.GetAnswers() {
				k.answers <- a
			}
			if m.GetClosing() {
				k.closing <- m.GetTaken()
			}
		}
	}()
	return k
}

// creates begins to create a namespace.
func (k *collected) creates(name string, timeout time.Duration) uint64 {
	k.t.Helper()
	in := &candorv1.CreateRequest{
		Object: convert.ObjectToProto(accessObject("Namespace", name, `{}`)), Write: &candorv1.WriteOptions{RequestId: name, NotAfter: time.Now().Add(time.Minute).UnixNano()},
	}
	id, err := k.calls.send(candorv1.ObjectService_Create_FullMethodName, in, timeout)
	noError(k.t, err)
	synctest.Wait()
	return id
}

// next is the next answer, as an error or nil.
func (k *collected) next() (uint64, error) {
	k.t.Helper()
	select {
	case a := <-k.answers:
		return a.GetId(), convert.ErrorFromStatus(read(a, &candorv1.CreateResponse{}))
	case err := <-k.ended:
		if len(k.answers) > 0 { // they came before
			k.ended <- err
			a := <-k.answers
			return a.GetId(), convert.ErrorFromStatus(read(a, &candorv1.CreateResponse{}))
		}
		k.t.Fatalf("the stream ended with %v", err)
	case <-time.After(time.Minute):
		k.t.Fatal("no answer")
	}
	return 0, nil
}

func (k *collected) wantNone() {
	k.t.Helper()
	synctest.Wait()
	if n := len(k.answers); n > 0 {
		k.t.Fatalf("%d answers, want none yet", n)
	}
}

// begin has a cluster, and a stream to its leader.
func begin(t *testing.T, c *servertest.Cluster) *collected {
	t.Helper()
	s, err := openCalls(t.Context(), dial(t, c, c.Leader().Name()))
	noError(t, err)
	return collect(t, s)
}

// TestACallOverAStreamEndsAtItsDeadline, not later, and those beside it go on.
func TestACallOverAStreamEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := begin(t, c)
		stall(c)
		began := time.Now()
		patient, hasty := k.creates("patient", 20*time.Second), k.creates("hasty", 300*time.Millisecond)
		id, err := k.next()
		if took := time.Since(began); id != hasty || took < 300*time.Millisecond || took > 350*time.Millisecond {
			t.Errorf("call %d ended after %s: %v; want %d at its deadline", id, took, err, hasty)
		}
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		c.Heal()
		id, err = k.next()
		if noError(t, err); id != patient {
			t.Errorf("call %d was answered, want %d", id, patient)
		}
	})
}

// TestACallThatIsGivenUpIsAnsweredAtOnce: it holds no place any more.
func TestACallThatIsGivenUpIsAnsweredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, withLimits(map[string]string{"write-places": "2", "write-reserved": "0", "write-share": "1", "write-queue": "4"}))
		k := begin(t, c)
		stall(c)
		first, second := k.creates("first", 0), k.creates("second", 0)
		k.wantNone()
		noError(t, k.calls.stream.Send(&candorv1.CallsRequest{Cancelled: []uint64{second, first, 99}}))
		began, answered := time.Now(), map[uint64]bool{}
		for range 2 {
			id, err := k.next()
			if answered[id] = true; err == nil {
				t.Errorf("call %d was done", id)
			}
		}
		if !answered[first] || !answered[second] || time.Since(began) > 100*time.Millisecond {
			t.Errorf("%v were answered after %s; want both at once", answered, time.Since(began))
		}
		c.Heal()
		k.creates("third", 0)
		_, err := k.next()
		noError(t, err)
	})
}

// TestWhoeverHasItsShareOverAStreamLeavesOthersTheirs: what one party sends together
// takes turns with another's all the same.
func TestWhoeverHasItsShareOverAStreamLeavesOthersTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := openAccess(t, servertest.Start(t, withLimits(map[string]string{
			"write-places": "4", "write-reserved": "0", "write-share": "1", "write-queue": "8", "write-queue-per-identity": "4",
		})))
		over := func(p *party) *collected {
			s, err := openCalls(p.context(), p.conn)
			noError(t, err)
			return collect(t, s)
		}
		ana, bob := over(k.party("ana", "operator")), over(k.party("bob", "operator"))
		stall(k.cluster)
		for i := range 5 {
			ana.creates(fmt.Sprintf("ana-%d", i), 0)
		}
		ana.wantNone()
		sixth := ana.creates("ana-5", 0)
		id, err := ana.next()
		wantSaturated(t, err, "ana", "write-queue-per-identity")
		if id != sixth {
			t.Errorf("call %d was refused, want %d", id, sixth)
		}
		bob.creates("bob-0", 0)
		bob.wantNone()
		k.cluster.Heal()
		_, err = bob.next()
		noError(t, err)
		for range 5 {
			_, err := ana.next()
			noError(t, err)
		}
	})
}

// TestATokenThatIsRevokedEndsItsCallsAndNotTheStream: a call is judged when it comes.
func TestATokenThatIsRevokedEndsItsCallsAndNotTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := openAccess(t, servertest.Start(t))
		p := k.party("ana", "operator")
		s, err := openCalls(p.context(), p.conn)
		noError(t, err)
		ana := collect(t, s)
		ana.creates("before", 0)
		_, err = ana.next()
		noError(t, err)
		b, err := candor.ParseBearer(p.bearer)
		noError(t, err)
		_, err = k.root.Delete(t.Context(), candor.Ref{Kind: candor.KindTokens, Name: b.Accessor})
		noError(t, err)
		k.settle()
		ana.creates("after", 0)
		_, err = ana.next()
		wantReason(t, err, candor.ReasonUnauthenticated)
	})
}

// TestAServerThatStopsAnswersWhatItTook and says what it did not take.
func TestAServerThatStopsAnswersWhatItTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := begin(t, c)
		k.creates("one", 0)
		_, err := k.next()
		noError(t, err)
		last := k.creates("two", 0)
		c.Stop(c.Leader().Name())
		if taken := <-k.closing; taken != last {
			t.Errorf("taken up to %d, want %d", taken, last)
		}
		if id, err := k.next(); id != last || err != nil {
			t.Errorf("call %d: %v", id, err)
		}
		if err := <-k.ended; !errors.Is(err, io.EOF) {
			t.Errorf("the stream ended with %v", err)
		}
	})
}

// TestAStreamThatBreaksItsBoundsEnds: numbers that do not ascend, and more calls
// than the server said.
func TestAStreamThatBreaksItsBoundsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		for name, spoil := range map[string]func(k *collected){
			"no number":    func(k *collected) { k.calls.last--; k.creates("x", 0) },
			"number twice": func(k *collected) { k.creates("y", 0); k.calls.last--; k.creates("y", 0) },
			"too many": func(k *collected) {
				stall(c)
				in := &candorv1.CallsRequest{}
				for i := range k.calls.limit + 1 {
					encoded, err := proto.Marshal(&candorv1.CreateRequest{Object: accessProto("Namespace", fmt.Sprintf("many-%d", i))})
					noError(t, err)
					in.Calls = append(in.Calls, &candorv1.Call{Id: uint64(i + 1), Method: candorv1.ObjectService_Create_FullMethodName, Request: encoded})
				}
				noError(t, k.calls.stream.Send(in))
			},
		} {
			k := begin(t, c)
			spoil(k)
			select {
			case err := <-k.ended:
				wantReason(t, convert.ErrorFromStatus(err), candor.ReasonInvalid)
			case <-time.After(time.Minute):
				t.Errorf("%s: the stream goes on", name)
			}
			c.Heal()
		}
	})
}

// TestWritesUnderWayOnAStreamThatBreaksAreMadeOnce: the client finds out by their
// request IDs, whichever of them the leader had made when its connections broke.
func TestWritesUnderWayOnAStreamThatBreaksAreMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		for i := range 8 { // by then there is a stream
			must(t, k, accessObject("Namespace", fmt.Sprintf("early-%d", i), `{}`))
		}
		leader := c.Leader().Name()
		const writes = 32
		type end struct {
			name   string
			result client.Result
			err    error
		}
		ends := make(chan end, writes)
		c.Isolate(leader)
		for i := range writes {
			go func() {
				name := fmt.Sprintf("written-%d", i)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				result, err := k.Create(ctx, accessObject("Namespace", name, `{}`), client.WithRequestID(name))
				ends <- end{name, result, err}
			}()
		}
		synctest.Wait()
		c.Kill(leader)
		c.Heal()
		revisions := map[uint64]string{}
		for range writes {
			e := <-ends
			noError(t, e.err)
			if other := revisions[e.result.Token.Revision]; other != "" {
				t.Errorf("%s and %s have revision %d", e.name, other, e.result.Token.Revision)
			}
			revisions[e.result.Token.Revision] = e.name
			got, _, err := k.Get(t.Context(), refOf(e.name))
			noError(t, err)
			if got.Metadata.CreateRevision != e.result.Token.Revision || got.Metadata.Generation != 1 {
				t.Errorf("%s was made at %d, its write says %d", e.name, got.Metadata.CreateRevision, e.result.Token.Revision)
			}
		}
	})
}
