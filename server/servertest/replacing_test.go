package servertest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// TestEveryKindOfChangeOfMembersIsPlannedAndThenPublished: one of each, and what their
// objects tell afterwards.
func TestEveryKindOfChangeOfMembersIsPlannedAndThenPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k, x := c.Client(t), operators{t, c}
		ctx, cancel := within(time.Minute)
		defer cancel()
		fourth := c.AddServer()
		_, err := k.Cluster().Promote(ctx, fourth.Name(), 0)
		noError(t, err)
		removed := c.Follower()
		_, err = k.Cluster().Remove(ctx, removed.Name(), client.RemoveOptions{})
		noError(t, err)
		c.Stop(removed.Name())
		fifth := c.AddServer()
		replaced := without(c, c.Leader(), fifth)[0]
		noError(t, x.replace(c.Leader().Name(), replaced.Name(), fifth.Name(), 20*time.Second))
		c.Stop(replaced.Name())
		led := c.Leader()
		heir := c.Follower()
		_, err = k.Cluster().TransferLeader(ctx, heir.Name())
		noError(t, err)
		c.Until("the other leads", func() bool { return c.Leader() == heir })

		if n := wantEveryChangeAccountedFor(t, c); n != 8 {
			t.Errorf("%d transitions: want two joins, a promotion, a removal, a replacement with its two steps, and a transfer", n)
		}
		view := c.Leader().Machine().View()
		replacement := ofKind(t, view, transition.MemberReplace)[0].Plan.ID()
		type told struct {
			kind           transition.Kind
			target, parent string
		}
		var all []told
		for _, id := range transitionsBy(t, view) {
			records := recordsOf(t, view, id)
			first, last := records[0], records[len(records)-1]
			p := &first.Plan
			all = append(all, told{p.Kind, p.Target, p.Parent})
			switch {
			case len(records) != 2 || first.Status.Phase != transition.PhasePlanned || last.Status.Phase != transition.PhasePublished:
				t.Errorf("%s: %+v", id, records)
			case p.Revision != first.Revision || last.Status.Revision != last.Revision || p.Configuration == 0 || p.Deadline <= p.PlannedAt:
				t.Errorf("%s: planned at %d, published at %d: %+v", id, first.Revision, last.Revision, last.Transition)
			case p.Parent == "" && (p.Duty != "" || p.Reason != "REQUESTED" || p.Actor == ""):
				t.Errorf("%s was asked for: %+v", id, p)
			case p.Parent != "" && (p.Duty != tenure.DutyTopology || p.Era == 0 || p.Actor != candor.ActorSystem):
				t.Errorf("%s is a step: %+v", id, p)
			}
			if s := &last.Status; s.Outcome != transition.OutcomeApplied || s.Publish != transition.PublishDone || s.Times.Ended < s.Times.Planned || s.Times.Planned == 0 {
				t.Errorf("%s: %+v", id, s)
			}
			if s := &last.Status; last.Cause.Reason != "SHOWN" && (s.Executor != holderOf(led) || s.Times.Executing == 0 || s.Times.Applied < s.Times.Executing) {
				t.Errorf("%s: %+v", id, s)
			}
		}
		want := []told{
			{transition.MemberAdd, fourth.ID(), ""}, {transition.MemberPromote, fourth.ID(), ""}, {transition.MemberRemove, removed.ID(), ""},
			{transition.MemberAdd, fifth.ID(), ""}, {transition.MemberReplace, replaced.ID(), ""}, {transition.MemberPromote, fifth.ID(), replacement},
			{transition.MemberRemove, replaced.ID(), replacement}, {transition.LeaderTransfer, heir.ID(), ""},
		}
		if !slices.Equal(all, want) {
			t.Errorf("planned were %v: want %v", all, want)
		}
	})
}

// TestFiveServersAreReplacedByFiveOthersUnderLoad, one by one, the leader among them,
// while clients that know the first five write and read, and each member is read all
// the time that it is one. No bounded read fails, and no write is lost.
func TestFiveServersAreReplacedByFiveOthersUnderLoad(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithServers(5))
		x, old := operators{t, c}, names(c.Servers())
		w := startWriters(t, c, 3, 7*time.Millisecond, 5*time.Second)
		l := startReaders(t, c)
		l.member(c.Servers()...)
		led := 0
		for _, name := range old {
			newcomer := c.AddServer()
			if c.Leader().Name() == name {
				led++
			}
			l.goesOn(c, w)
			x.insist(name, newcomer.Name())
			l.member(newcomer)
			l.goesOn(c, w)
			c.Stop(name)
			l.goesOn(c, w)
		}
		w.end()
		l.end()
		l.judge(t)
		if led == 0 || len(w.refused)+len(w.unknown) > 0 {
			t.Errorf("%d of those that went led; %v, and of %d writes nobody knows", led, w.refused, len(w.unknown))
		}
		w.wantAllKept(t, c)
		wantMembers(t, c, names(c.Servers())...)
		if n := wantEveryChangeAccountedFor(t, c); n < 4*5 {
			t.Errorf("%d transitions", n)
		}
		for _, r := range ofKind(t, c.Leader().Machine().View(), transition.MemberReplace) {
			if r.Status.Phase != transition.PhasePublished {
				t.Errorf("%+v", r)
			}
		}
		t.Logf("%d writes, longest pause %s; %v", len(w.acked), w.gap, l.served)
		if w.gap > time.Second {
			t.Errorf("writes paused for %s", w.gap)
		}
	})
}

// wantMembers wants these servers to be the voters, and nobody else to be a member.
func wantMembers(t testing.TB, c *servertest.Cluster, voters ...string) {
	t.Helper()
	var have []string
	for _, m := range c.Leader().Machine().View().Configuration().Servers {
		name := m.Address
		if !m.Voter {
			name += " without a vote"
		}
		have = append(have, name)
	}
	var want []string
	for _, name := range voters {
		want = append(want, name+"/raft")
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("members %v: want %v", have, want)
	}
}

// readers read without end: three clients that know the servers of the beginning, by
// BOUNDED and by STRONG; and each member by BOUNDED of its own.
type readers struct {
	t    *testing.T
	c    *servertest.Cluster
	ctx  context.Context
	stop context.CancelFunc
	wait sync.WaitGroup

	mu     sync.Mutex
	all    []*server.Server
	served map[string]int
	failed []string
}

// readsWithin is the bound of bounded reads, and as long may they take.
const readsWithin = time.Second

func startReaders(t *testing.T, c *servertest.Cluster) *readers {
	ctx, stop := context.WithCancel(t.Context())
	l := &readers{t: t, c: c, ctx: ctx, stop: stop, served: map[string]int{}}
	for range 3 {
		bounded, strong := c.Client(t), c.Client(t)
		l.every(func() {
			l.read("bounded", bounded, client.WithFreshness(candor.FreshnessBounded), client.WithMaxStaleness(readsWithin))
		})
		l.every(func() { l.read("strong", strong) })
	}
	return l
}

func (l *readers) every(read func()) {
	l.wait.Go(func() {
		for l.ctx.Err() == nil {
			read()
			time.Sleep(11 * time.Millisecond)
		}
	})
}

func (l *readers) read(what string, k *client.Client, options ...client.ReadOption) {
	patience := readsWithin
	if what == "strong" {
		patience = 5 * time.Second // an election may come in between
	}
	ctx, cancel := within(patience)
	defer cancel()
	_, w, err := k.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: "default"}, options...)
	if err == nil && what == "bounded" && *w.StalenessBound > readsWithin {
		err = fmt.Errorf("the witness says %s", *w.StalenessBound)
	}
	l.note(what, err)
}

func (l *readers) note(what string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = append(l.failed, fmt.Sprintf("%s: %v", what, err))
		return
	}
	l.served[what]++
}

// member has servers read as long as they are members.
func (l *readers) member(servers ...*server.Server) {
	l.mu.Lock()
	l.all = append(l.all, servers...)
	l.mu.Unlock()
	for _, s := range servers {
		r := readerOf(l.t, l.c, s)
		ctx, stop := context.WithCancel(l.ctx)
		l.wait.Go(func() {
			defer stop()
			for ; ctx.Err() == nil; time.Sleep(11 * time.Millisecond) {
				_, err := r.get(l.t, bounded(readsWithin), readsWithin)
				if err != nil && l.left(s) {
					return
				}
				l.note("bounded, each member", err)
			}
		})
	}
}

// left says whether a server is a member no more, as far as any server knows.
func (l *readers) left(s *server.Server) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.all, func(other *server.Server) bool {
		_, member := other.Replica().Configuration().Find(raft.ServerID(s.ID()))
		return !member
	})
}

// goesOn waits until everybody has read and written some more.
func (l *readers) goesOn(c *servertest.Cluster, w *writers) {
	l.t.Helper()
	count := func() (n [3]int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return [3]int{l.served["bounded"], l.served["strong"], w.count()}
	}
	before := count()
	c.Until("reads and writes go on", func() bool {
		for i, n := range count() {
			if n < before[i]+100 {
				return false
			}
		}
		return true
	})
}

func (l *readers) end() {
	l.stop()
	l.wait.Wait()
}

// judge wants no read to have failed.
func (l *readers) judge(t testing.TB) {
	t.Helper()
	for i, f := range l.failed {
		if i == 10 {
			t.Errorf("and %d more", len(l.failed)-i)
			return
		}
		t.Errorf("a read failed: %s", f)
	}
	for _, what := range []string{"bounded", "strong", "bounded, each member"} {
		if l.served[what] < 1000 {
			t.Errorf("%d reads were served of: %s", l.served[what], what)
		}
	}
}
