package client_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// dispensary is scripted nodes of which some hand out numbers. The count is one for
// all, as it would be of holders that keep their promise.
type dispensary struct {
	*stage
	next atomic.Uint64
}

func newDispensary(t *testing.T) *dispensary {
	d := &dispensary{stage: newStage(t, three...)}
	d.each(func(n *node) {
		n.on("AllocIDs", nobodyActs)
		n.on("AllocTimestamps", nobodyActs)
		n.on("Members", refuses(&candor.Error{Reason: candor.ReasonUnavailable, Message: "no view"}))
	})
	return d
}

// holds has a node answer for both duties under an era, and the others name it.
func (d *dispensary) holds(name string, era uint64) {
	holder := d.node(name)
	d.each(func(n *node) {
		n.on("AllocIDs", elsewhere(holder))
		n.on("AllocTimestamps", elsewhere(holder))
	})
	holder.on("AllocIDs", func(c *call) error {
		count := max(1, c.in.(*candorv1.AllocIDsRequest).GetCount())
		return c.send(&candorv1.AllocIDsResponse{First: d.next.Add(count) - count + 1, Count: count, Era: era})
	})
	holder.on("AllocTimestamps", func(c *call) error {
		count := max(1, c.in.(*candorv1.AllocTimestampsRequest).GetCount())
		return c.send(timestamps(d.next.Add(count)-count+1, count, era))
	})
}

func timestamps(first, count, era uint64) *candorv1.AllocTimestampsResponse {
	return &candorv1.AllocTimestampsResponse{First: first, Count: count, Era: era}
}

func nobodyActs(*call) error {
	return &candor.Error{Reason: candor.ReasonSchedulerDegraded, Message: "nobody acts under the duty now"}
}

func elsewhere(holder *node) script {
	return refuses(&candor.Error{
		Reason: candor.ReasonNotHosted, Message: "the duty is held by server " + holder.name,
		Leader: &candor.LeaderHint{ServerID: holder.name + "-id", Name: holder.name, Address: holder.addr},
	})
}

// calls is how many requests for numbers a node had.
func calls(n *node) int { return n.count("AllocIDs") + n.count("AllocTimestamps") }

func TestNumbersComeFromTheHolderAndItIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispensary(t)
		d.holds("n2", 3)
		c := d.client([]string{"n1"}) // n2 is known by the hint alone
		for want := uint64(1); want <= 10; want++ {
			got, err := c.AllocIDs(t.Context(), 1)
			noError(t, err)
			if got != (client.Numbers{First: want, Count: 1, Era: 3}) {
				t.Fatalf("got %+v, want ID %d of era 3", got, want)
			}
		}
		if n1, n2 := calls(d.node("n1")), calls(d.node("n2")); n1 != 1 || n2 != 10 {
			t.Errorf("n1 was asked %d times and n2 %d: want once, and all ten", n1, n2)
		}
		// Each duty has a holder of its own.
		_, err := c.Timestamps(t.Context(), 5)
		noError(t, err)
		if n1 := calls(d.node("n1")); n1 != 2 {
			t.Errorf("n1 was asked %d times: want once for each duty", n1)
		}
		d.holds("n3", 4) // n2 knows, and says so
		got, err := c.AllocIDs(t.Context(), 7)
		noError(t, err)
		if got != (client.Numbers{First: 16, Count: 7, Era: 4}) || got.Last() != 22 {
			t.Errorf("after the handover: %+v, want 16 to 22 of era 4", got)
		}
	})
}

func TestNumbersAreWaitedForWhileNobodyHoldsTheDuty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispensary(t)
		c := d.client(three)
		time.AfterFunc(4*time.Second, func() { d.holds("n3", 1) })
		began := time.Now()
		got, err := c.Timestamps(t.Context(), 1)
		noError(t, err)
		if took := time.Since(began); got.Era != 1 || took < 4*time.Second || took > 5*time.Second {
			t.Errorf("%+v after %s: want one of era 1 soon after 4 s", got, took)
		}
		d.each(func(n *node) { n.on("AllocTimestamps", nobodyActs) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Timestamps(ctx, 1)
		wantReason(t, err, candor.ReasonSchedulerDegraded)
	})
}

func TestAHolderThatDoesNotAnswerIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispensary(t)
		d.holds("n1", 1)
		c := d.client(three)
		_, err := c.AllocIDs(t.Context(), 1)
		noError(t, err)
		d.node("n1").stop()
		time.AfterFunc(2*time.Second, func() { d.holds("n2", 2) }) // until then n2 and n3 name the dead
		got, err := c.AllocIDs(t.Context(), 1)
		noError(t, err)
		if got.Era != 2 {
			t.Errorf("era %d: want 2, of the next holder", got.Era)
		}
	})
}

// Silence: what a holder answers whose era is over does not reach the caller, however
// sincere it is.
func TestAnAnswerOfAnEraThatIsOverIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispensary(t)
		d.holds("n1", 7)
		c := d.client(three)
		_, err := c.Timestamps(t.Context(), 1)
		noError(t, err)

		d.holds("n2", 8)
		got, err := c.Timestamps(t.Context(), 3)
		noError(t, err)
		if got.Era != 8 || c.Session().Era("tso") != 8 {
			t.Fatalf("%+v, and the session knows of era %d: want 8", got, c.Session().Era("tso"))
		}
		// n1 has not heard, and n2 names it: from here on only the era can tell.
		zombie := d.node("n1")
		zombie.on("AllocTimestamps", func(c *call) error { return c.send(timestamps(1_000_000, 1, 7)) })
		d.node("n2").on("AllocTimestamps", sequence(elsewhere(zombie), func(c *call) error { return c.send(timestamps(2_000_000, 1, 8)) }))
		before := calls(zombie)
		got, err = c.Timestamps(t.Context(), 1)
		noError(t, err)
		if got != (client.Numbers{First: 2_000_000, Count: 1, Era: 8}) {
			t.Errorf("got %+v: want what n2 handed out under era 8", got)
		}
		if calls(zombie) == before {
			t.Error("the former holder was never asked: the test shows nothing")
		}

		// The floor is the session's: another process that goes on with it has it too.
		other := d.client([]string{"n1"}, func(cfg *client.Config) { cfg.Session = c.Session() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = other.Timestamps(ctx, 1)
		wantReason(t, err, candor.ReasonEraStale)
	})
}

func TestTimestampsNeverGoBackWithinAClient(t *testing.T) {
	for name, answer := range map[string]*candorv1.AllocTimestampsResponse{
		"one that was seen": timestamps(100, 1, 2), "below": timestamps(99, 1, 2), "below in a later era": timestamps(5, 1, 3),
		"too few": timestamps(200, 2, 2), "zero": timestamps(0, 1, 2), "beyond 64 bits": timestamps(1<<64-1, 2, 2),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDispensary(t)
				n1 := d.node("n1")
				n1.on("AllocTimestamps", sequence(
					func(c *call) error { return c.send(timestamps(98, 3, 2)) },
					func(c *call) error { return c.send(answer) }))
				c := d.client([]string{"n1"})
				_, err := c.Timestamps(t.Context(), 3)
				noError(t, err)
				n := uint64(1)
				if answer.GetCount() == 2 && answer.GetFirst() > 1000 {
					n = 2
				}
				_, err = c.Timestamps(t.Context(), n)
				wantReason(t, err, candor.ReasonInvariantViolated)
				if n1.count("AllocTimestamps") != 2 {
					t.Error("a broken promise was asked again elsewhere")
				}
			})
		})
	}
}

func TestCallsForOneNumberShareRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispensary(t)
		d.holds("n1", 1)
		c := d.client([]string{"n1"})
		n1 := d.node("n1")
		answer := n1.scripts["AllocIDs"]
		n1.on("AllocIDs", func(c *call) error {
			time.Sleep(time.Millisecond)
			return answer(c)
		})
		const callers = 3000
		var all sync.WaitGroup
		got := make([]uint64, callers)
		for i := range callers {
			all.Go(func() {
				out, err := c.AllocIDs(t.Context(), 1)
				if err != nil || out.Count != 1 {
					t.Errorf("%+v, %v", out, err)
				}
				got[i] = out.First
			})
		}
		all.Wait()
		slices.Sort(got)
		if len(slices.Compact(slices.Clone(got))) != callers || got[0] != 1 || got[callers-1] != callers {
			t.Errorf("numbers %d to %d, want each of 1 to %d once", got[0], got[callers-1], callers)
		}
		// One goes alone; what gathered meanwhile goes in requests of at most 1024.
		if n := n1.count("AllocIDs"); n != 4 {
			t.Errorf("%d requests for %d calls: want 4", n, callers)
		}
		for _, call := range n1.arrived("AllocIDs") {
			if n := call.in.(*candorv1.AllocIDsRequest).GetCount(); n > 1024 {
				t.Errorf("a request for %d numbers", n)
			}
		}
	})
}

func TestACallThatGoesAloneDoesNotShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispensary(t)
		d.holds("n1", 1)
		c := d.client([]string{"n1"})
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				ctx := metadata.AppendToOutgoingContext(t.Context(), "note", strconv.Itoa(i))
				if _, err := c.AllocIDs(ctx, 1); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := d.node("n1").count("AllocIDs"); n != 20 {
			t.Errorf("%d requests: want 20, each says something of its own", n)
		}
	})
}

// Each caller's context is its own: neither the first of a shared request nor the
// least patient one takes the others with it.
func TestWhoSharesARequestMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispensary(t)
		d.holds("n1", 1)
		c := d.client([]string{"n1"})
		n1 := d.node("n1")
		answer := n1.scripts["AllocTimestamps"]
		n1.on("AllocTimestamps", func(c *call) error {
			time.Sleep(time.Second)
			return answer(c)
		})
		type end struct {
			after  time.Duration
			reason candor.Reason
		}
		began := time.Now()
		ends := make([]end, 4)
		var all sync.WaitGroup
		for i, patience := range []time.Duration{10 * time.Second, 500 * time.Millisecond, 1500 * time.Millisecond, 10 * time.Second} {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				_, err := c.Timestamps(ctx, 1)
				ends[i] = end{time.Since(began), candor.ReasonOf(err)}
			})
			synctest.Wait()
		}
		all.Wait()
		want := []end{{time.Second, ""}, {500 * time.Millisecond, candor.ReasonTimedOut}, {1500 * time.Millisecond, candor.ReasonTimedOut}, {2 * time.Second, ""}}
		if !slices.Equal(ends, want) {
			t.Errorf("got %v, want %v", ends, want)
		}
		if n := n1.count("AllocTimestamps"); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}

func TestARequestThatAllHaveLeftIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispensary(t)
		c := d.client([]string{"n1"})
		n1 := d.node("n1")
		gone := make(chan struct{})
		n1.on("AllocIDs", sequence(
			func(c *call) error {
				time.Sleep(time.Second)
				return c.send(&candorv1.AllocIDsResponse{First: 1, Count: 1, Era: 1})
			},
			func(c *call) error {
				<-c.Done()
				close(gone)
				return c.Err()
			}))
		var all sync.WaitGroup
		for _, patience := range []time.Duration{5 * time.Second, 1100 * time.Millisecond, 1200 * time.Millisecond} {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(patience, cancel)
				_, err := c.AllocIDs(ctx, 1)
				if want := candor.ReasonCanceled; patience < 5*time.Second && candor.ReasonOf(err) != want {
					t.Errorf("%v, want %s", err, want)
				}
			})
			synctest.Wait()
		}
		began := time.Now()
		<-gone
		if took := time.Since(began); took != 1200*time.Millisecond {
			t.Errorf("given up after %s: want when the last caller was", took)
		}
		all.Wait()
	})
}

func TestClosingEndsCallsForNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDispensary(t)
		c := d.client([]string{"n1"})
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				_, err := c.AllocIDs(t.Context(), 1)
				wantReason(t, err, candor.ReasonCanceled)
			})
		}
		synctest.Wait()
		noError(t, c.Close())
		all.Wait()
		_, err := c.AllocIDs(t.Context(), 1)
		wantReason(t, err, candor.ReasonCanceled)
	})
}

func TestHowManyNumbersIsChecked(t *testing.T) {
	d := newDispensary(t)
	c := d.client([]string{"n1"})
	for _, n := range []uint64{0, client.MaxIDs + 1} {
		_, err := c.AllocIDs(t.Context(), n)
		wantReason(t, err, candor.ReasonInvalid)
	}
	for _, n := range []uint64{0, client.MaxTimestamps + 1} {
		_, err := c.Timestamps(t.Context(), n)
		wantReason(t, err, candor.ReasonInvalid)
	}
}
