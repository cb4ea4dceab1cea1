package client_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

var three = []string{"n1", "n2", "n3"}

func TestStrongReadsFindTheLeaderAndStayWithIt(t *testing.T) {
	s := newStage(t, three...)
	n2 := s.node("n2")
	s.node("n1").on("Get", notLeader(n2, 1))
	s.node("n3").on("Get", notLeader(n2, 1))
	n2.on("Get", n2.gets(token(5), n2))
	c := s.client(three)
	for range 10 {
		_, w, err := c.Get(t.Context(), web)
		noError(t, err)
		if w.NodeName != "n2" || !w.ServedByLeader {
			t.Fatalf("served by %s", w.NodeName)
		}
	}
	if n2.count("Get") != 10 || s.node("n1").count("Get")+s.node("n3").count("Get") > 1 {
		t.Errorf("n1 %d, n2 %d, n3 %d calls; want at most one detour",
			s.node("n1").count("Get"), n2.count("Get"), s.node("n3").count("Get"))
	}
}

func TestALeaderAtAnUnknownAddressIsLearntFromItsHint(t *testing.T) {
	s := newStage(t, "n1", "n4")
	n4 := s.node("n4")
	s.node("n1").on("Get", notLeader(n4, 3))
	n4.on("Get", n4.gets(candor.Token{Term: 3, Index: 9, Revision: 9}, n4))
	c := s.client([]string{"n1"})
	_, w, err := c.Get(t.Context(), web)
	noError(t, err)
	if w.NodeName != "n4" {
		t.Errorf("served by %s, want n4", w.NodeName)
	}
	if got := c.Endpoints(); !slices.Contains(got, "n4:1") {
		t.Errorf("endpoints %v do not contain the learnt one", got)
	}
}

func TestAHintWithoutAnAddressIsResolvedByTheServersOwnWord(t *testing.T) {
	s := newStage(t, three...)
	for _, n := range []*node{s.node("n1"), s.node("n3")} {
		n.on("Get", refuses(&candor.Error{
			Reason: candor.ReasonNotLeader, Leader: &candor.LeaderHint{ServerID: "n2-id", Term: 2},
		}))
	}
	n2 := s.node("n2")
	n2.on("Get", n2.gets(token(4), n2))
	n2.on("Status", n2.statuses(token(4), nil))
	c := s.client(three)
	_, err := c.Cluster().Status(t.Context(), client.OnEndpoint("n2:1"))
	noError(t, err)
	_, w, err := c.Get(t.Context(), web)
	noError(t, err)
	if detours := s.node("n1").count("Get") + s.node("n3").count("Get"); w.NodeName != "n2" || detours > 1 {
		t.Errorf("served by %s after %d detours, want n2 after at most one", w.NodeName, detours)
	}
}

// An address that several nodes share, as behind a balancer, is none of them.
func TestAnAddressThatWasTheLeadersOnceIsNotMistakenForIt(t *testing.T) {
	s := newStage(t, "n1", "n2")
	n1, n2 := s.node("n1"), s.node("n2")
	n1.on("Get", sequence(n2.gets(token(5), n2), notLeader(n2, 1))) // the first answer is n2's
	n2.on("Get", n2.gets(token(6), n2))
	c := s.client([]string{"n1"})
	for range 3 {
		_, w, err := c.Get(t.Context(), web)
		noError(t, err)
		if w.NodeName != "n2" {
			t.Fatalf("served by %s", w.NodeName)
		}
	}
	if got := n1.count("Get"); got != 2 {
		t.Errorf("n1's address was asked %d times, want 2", got)
	}
}

func TestAPinnedReadAsksThatNodeOnly(t *testing.T) {
	s := newStage(t, three...)
	s.each(func(n *node) { n.on("Get", n.gets(token(5), s.nodes["n1:1"])) })
	s.node("n2").on("Get", notLeader(s.node("n1"), 1))
	c := s.client(three)
	_, _, err := c.Get(t.Context(), web, client.OnEndpoint("n2:1"))
	wantReason(t, err, candor.ReasonNotLeader)
	if s.node("n1").count("Get")+s.node("n3").count("Get") != 0 {
		t.Error("another node was asked")
	}
	s.node("n2").stop()
	_, _, err = c.Get(t.Context(), web, client.OnEndpoint("n2:1"))
	wantReason(t, err, candor.ReasonUnavailable)
}

func TestNodesThatNameOneAnotherAreNotFollowedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1", "n2")
		s.node("n1").on("Get", notLeader(s.node("n2"), 1))
		s.node("n2").on("Get", notLeader(s.node("n1"), 1))
		c := s.client([]string{"n1", "n2"})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, _, err := c.Get(ctx, web)
		wantReason(t, err, candor.ReasonNotLeader)
		if n := s.node("n1").count("Get") + s.node("n2").count("Get"); n < 5 || n > 60 {
			t.Errorf("%d attempts in 2 s; want a few, with pauses between them", n)
		}
	})
}

func TestWhoeverFindsTheNewLeaderWakesAllThatWaitForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		s.each(func(n *node) { n.on("Get", notLeader(nil, 0)) })
		c := s.client(three)
		start := time.Now()
		var mu sync.Mutex
		var done []time.Duration
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, _, err := c.Get(t.Context(), web); err != nil {
					t.Error(err)
				}
				mu.Lock()
				done = append(done, time.Since(start))
				mu.Unlock()
			})
		}
		time.Sleep(3 * time.Second) // virtual: by now every pause is the longest
		n3 := s.node("n3")
		for _, n := range []*node{s.node("n1"), s.node("n2")} {
			n.on("Get", notLeader(n3, 7))
		}
		n3.on("Get", n3.gets(candor.Token{Term: 7, Index: 1, Revision: 1}, n3))
		wg.Wait()
		first, last := slices.Min(done), slices.Max(done)
		if last-first > 5*time.Millisecond {
			t.Errorf("the first was served after %v, the last after %v: they did not wake one another", first, last)
		}
		if first > 3*time.Second+250*time.Millisecond {
			t.Errorf("the first was served after %v", first)
		}
	})
}

func TestOtherMembersAreLearntBeforeTheyAreNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		s.each(func(n *node) { n.on("Get", n.answers(token(5))) })
		s.node("n1").on("Members", func(c *call) error {
			return c.send(&candorv1.MembersResponse{Members: []*candorv1.Member{
				{ServerId: "n1-id", Name: "n1", ApiAddress: "10.0.0.1:1"}, // by another address than the one configured
				{ServerId: "n2-id", Name: "n2", ApiAddress: "n2:1"},
				{ServerId: "n3-id", Name: "n3"}, // not told
			}})
		})
		c := s.client([]string{"n1"})
		read := func() string {
			t.Helper()
			_, w, err := c.Get(t.Context(), web, client.WithFreshness(candor.FreshnessBestEffort))
			noError(t, err)
			return w.NodeName
		}
		read()
		if s.node("n1").count("Members") != 0 {
			t.Error("a client that lives for one call must not ask for the members")
		}
		time.Sleep(2 * time.Second)
		read()
		read()
		if n := s.node("n1").count("Members"); n != 1 {
			t.Errorf("asked for the members %d times, want once", n)
		}
		if got, want := c.Endpoints(), []string{"n1:1", "n2:1"}; !slices.Equal(got, want) {
			t.Errorf("endpoints %v, want %v", got, want)
		}
		s.node("n1").stop()
		if got := read(); got != "n2" {
			t.Errorf("served by %s, want n2", got)
		}
	})
}

func TestARestartedServerIsFoundAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := s.node("n1")
		n1.on("Get", n1.gets(token(5), n1))
		c := s.client([]string{"n1"})
		_, _, err := c.Get(t.Context(), web)
		noError(t, err)
		n1.stop()
		time.AfterFunc(5*time.Second, n1.start)
		start := time.Now()
		_, _, err = c.Get(t.Context(), web)
		noError(t, err)
		if took := time.Since(start); took > 5*time.Second+800*time.Millisecond {
			t.Errorf("served %v after it came back", took-5*time.Second)
		}
	})
}

// A leader that hangs is the worst case: nothing tells that it is gone but time,
// and its followers still name it. They must be asked again, not the leader.
func TestALeaderThatHangsIsNotAskedAgainBecauseItsFollowersNameIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		n1, n2 := s.node("n1"), s.node("n2")
		n1.on("Status", n1.statuses(token(1), n1))
		n1.on("Get", hangs)
		n2.on("Get", notLeader(n1, 1))
		s.node("n3").on("Get", notLeader(n1, 1))
		c := s.client(three)
		_, err := c.Cluster().Status(t.Context(), client.OnEndpoint("n1:1"))
		noError(t, err)
		time.AfterFunc(client.DefaultAttemptTimeout+time.Second, func() {
			n2.on("Get", n2.gets(candor.Token{Term: 2, Index: 9, Revision: 9}, n2))
		})
		start := time.Now()
		_, w, err := c.Get(t.Context(), web)
		noError(t, err)
		if took := time.Since(start); w.NodeName != "n2" || took > client.DefaultAttemptTimeout+time.Second+600*time.Millisecond {
			t.Errorf("served by %s after %v", w.NodeName, took)
		}
		if got := n1.count("Get"); got != 1 {
			t.Errorf("the leader that hangs was asked %d times", got)
		}
	})
}
