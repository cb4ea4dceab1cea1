package integration

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// boundOfReads is how stale what a bounded read returns may be, and readPatience how
// long one may take: an election lies in between, on a machine that is busy.
const (
	boundOfReads = 2 * time.Second
	readPatience = 5 * time.Second
)

// boundedReaders read without end, each with a client of its own that knows the servers
// of the beginning, and note what failed.
type boundedReaders struct {
	stop context.CancelFunc
	wait sync.WaitGroup

	mu      sync.Mutex
	served  int
	longest time.Duration
	failed  []error
}

func (c *cluster) readBounded(ctx context.Context, n int) *boundedReaders {
	c.t.Helper()
	ctx, stop := context.WithCancel(ctx)
	r := &boundedReaders{stop: stop}
	for range n {
		k := c.client()
		r.wait.Go(func() {
			for passes(ctx, 5*time.Millisecond) {
				r.read(k)
			}
		})
	}
	return r
}

// read outlives the readers, so that none fails for their end.
func (r *boundedReaders) read(k *client.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), readPatience)
	defer cancel()
	began := time.Now()
	_, w, err := k.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: "default"}, client.WithFreshness(candor.FreshnessBounded), client.WithMaxStaleness(boundOfReads))
	if err == nil && (w.StalenessBound == nil || *w.StalenessBound > boundOfReads) {
		err = candor.Errorf(candor.ReasonInternal, "a bounded read was served beyond its bound: %+v", w)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failed = append(r.failed, err)
		return
	}
	r.served++
	r.longest = max(r.longest, time.Since(began))
}

// goOn waits until n more reads were served.
func (r *boundedReaders) goOn(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	count := func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.served
	}
	want := count() + n
	until(ctx, t, "more bounded reads", func() bool { return count() >= want })
}

// end wants no read to have failed.
func (r *boundedReaders) end(t *testing.T) {
	t.Helper()
	r.stop()
	r.wait.Wait()
	for i, err := range r.failed {
		t.Errorf("a bounded read failed: %v", err)
		if i == 5 {
			t.Fatalf("and so did %d others, of %d", len(r.failed)-i-1, len(r.failed)+r.served)
		}
	}
	t.Logf("%d bounded reads, the longest took %s", r.served, r.longest)
}

// replaces begins to have one server come for another.
func (c *cluster) replaces(ctx context.Context, k *client.Client, old, newcomer *process) (answered chan error) {
	answered = make(chan error, 1)
	go func() {
		_, err := k.Cluster().Replace(ctx, old.name, newcomer.name, client.ReplaceOptions{})
		answered <- err
	}()
	return answered
}

// pends waits until a replacement has been planned that cannot be made yet, and returns
// its ID.
func (c *cluster) pends(ctx context.Context, k *client.Client) (id string) {
	c.t.Helper()
	until(ctx, c.t, "a replacement that waits", func() bool {
		list, err := k.Transitions().List(ctx, true, client.OnEndpoint(c.leader(ctx, k).api))
		if err != nil {
			return false
		}
		for _, x := range list.Transitions {
			if x.Kind == "member-promote" {
				id = x.Parent
			}
		}
		return id != ""
	})
	return id
}

// TestFiveServersAreReplacedByFiveOthers one by one, while clients that know the first
// five write and read. Of one replacement the leader is killed in the middle; another is
// that of the leader, which is killed in the middle itself and does not come back. No
// bounded read fails, and no write is lost.
func TestFiveServersAreReplacedByFiveOthers(t *testing.T) {
	c := start(t, 5)
	ctx, cancel := context.WithTimeout(t.Context(), 85*time.Second)
	defer cancel()
	k := c.client()
	old := slices.Clone(c.servers)
	w, r := c.write(ctx, 4), c.readBounded(ctx, 4)
	goesOn := func() {
		w.goOn(ctx, t, 100)
		r.goOn(ctx, t, 100)
	}
	goesOn()
	for i := range 5 {
		newcomer := c.join()
		c.answers(ctx, k, newcomer)
		leader := c.leader(ctx, k)
		going := old[0]
		switch {
		case i == 1 && going == leader:
			going = old[1]
		case i == 2 && slices.Contains(old, leader):
			going = leader
		case i == 2:
			c.lead(ctx, k, going)
			leader = going
		}
		old = slices.DeleteFunc(old, func(p *process) bool { return p == going })
		killed := i == 1 || i == 2
		if killed { // as long as the newcomer is silent it has no vote
			signal(t, newcomer, syscall.SIGSTOP)
		}
		answered := c.replaces(ctx, k, going, newcomer)
		if killed {
			id := c.pends(ctx, k)
			leader.kill()
			signal(t, newcomer, syscall.SIGCONT)
			if ended, err := k.Transitions().Wait(ctx, id); err != nil || !ended.Succeeded() {
				t.Fatalf("replace %s with %s: %+v, %v", going.name, newcomer.name, ended, err)
			}
		}
		if err := <-answered; err != nil && (!killed || candor.ReasonOf(err) != candor.ReasonOutcomeUnknown) {
			t.Fatalf("replace %s with %s: %v", going.name, newcomer.name, err)
		}
		if killed && leader != going {
			leader.begin(t)
			c.answers(ctx, k, leader)
		}
		goesOn()
		if going.child != nil {
			going.stop(t)
		}
		c.wantMembers(ctx, k, 5, 5)
		goesOn()
	}
	r.end(t)
	acked := w.end()
	c.holds(ctx, k, acked)
	c.sameDigests(ctx, k, c.servers[5:]...)
	list, err := k.Transitions().List(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	replaced := 0
	for _, x := range list.Transitions {
		if !x.Ended() || x.Kind == "member-replace" && !x.Succeeded() {
			t.Errorf("%+v", x)
		}
		if x.Kind == "member-replace" {
			replaced++
		}
	}
	if replaced != 5 {
		t.Errorf("%d replacements", replaced)
	}
	t.Logf("%d writes", len(acked))
}

func signal(t *testing.T, p *process, s syscall.Signal) {
	t.Helper()
	if err := p.child.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}
