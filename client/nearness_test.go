package client_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// shares are how many reads each node got of those that f made.
func (s *stage) shares(f func()) map[string]int {
	got := map[string]int{}
	s.each(func(n *node) { got[n.name] = -n.count("Get") })
	f()
	s.each(func(n *node) { got[n.name] += n.count("Get") })
	return got
}

// reads makes n BEST_EFFORT reads, one after the other.
func reads(t *testing.T, c *client.Client, n int) {
	t.Helper()
	for range n {
		_, _, err := c.Get(t.Context(), web, client.WithFreshness(candor.FreshnessBestEffort))
		noError(t, err)
	}
}

// warm lets the client connect to every node and measure it.
func warm(t *testing.T, c *client.Client) {
	t.Helper()
	for range 20 {
		reads(t, c, 10)
		time.Sleep(50 * time.Millisecond) // virtual
	}
}

// after answers as f does, so much later.
func after(d time.Duration, f script) script {
	return func(c *call) error {
		time.Sleep(d)
		return f(c)
	}
}

func TestReadsAreSpreadEvenlyOverEqualNodes(t *testing.T) {
	for name, latency := range map[string][3]time.Duration{
		"at once":           {},
		"all as far":        {time.Millisecond, time.Millisecond, time.Millisecond},
		"about as far":      {time.Millisecond, 1800 * time.Microsecond, 1400 * time.Microsecond},
		"near, with jitter": {100 * time.Microsecond, 500 * time.Microsecond, 200 * time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, three...)
				for i, at := range three {
					n := s.node(at)
					n.on("Get", after(latency[i], n.answers(token(5))))
				}
				c := s.client(three)
				warm(t, c)
				const total = 1500
				for node, share := range s.shares(func() { reads(t, c, total) }) {
					// A third, give or take five standard deviations.
					if share < total/3-92 || share > total/3+92 {
						t.Errorf("%s got %d of %d reads", node, share, total)
					}
				}
			})
		})
	}
}

// Callers that read at the same time leave a slower node of equals the less.
func TestReadsOfManyCallersAreSpreadByWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		for _, at := range three {
			n := s.node(at)
			n.on("Get", after(time.Millisecond, n.answers(token(5))))
		}
		c := s.client(three)
		warm(t, c)
		const callers, each = 24, 50
		for node, share := range s.shares(func() {
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() { reads(t, c, each) })
			}
			wg.Wait()
		}) {
			if share < callers*each/3-callers*each/20 || share > callers*each/3+callers*each/20 {
				t.Errorf("%s got %d of %d reads", node, share, callers*each)
			}
		}
	})
}

func TestReadsGoToTheNearestNodeAndComeBackWhenAnotherIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		far := func(names ...string) {
			s.each(func(n *node) { n.on("Get", after(100*time.Microsecond, n.answers(token(5)))) })
			for _, at := range names {
				n := s.node(at)
				n.on("Get", after(20*time.Millisecond, n.answers(token(5))))
			}
		}
		far("n1", "n3")
		c := s.client(three)
		warm(t, c)
		if got := s.shares(func() { reads(t, c, 300) }); got["n2"] < 297 {
			t.Errorf("shares %v, want all at n2, the nearest, but for a look at the others", got)
		}
		far("n2", "n3") // n1 has moved
		for range 60 {
			reads(t, c, 20)
			time.Sleep(500 * time.Millisecond)
		}
		if got := s.shares(func() { reads(t, c, 300) }); got["n1"] < 297 {
			t.Errorf("shares %v, want all at n1, which is nearest by now", got)
		}
	})
}

// in answers as a node in that condition does.
func (n *node) in(mode candorv1.DegradedMode, catchUp candorv1.CatchUpState) script {
	return func(c *call) error {
		w := n.weaker(freshnessOf(c), token(5))
		w.DegradedMode, w.CatchUpState = mode, catchUp
		if mode == candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY || mode == candorv1.DegradedMode_DEGRADED_MODE_ROOT_UNAVAILABLE {
			w.ServingClass, w.Mechanism = candorv1.ServingClass_SERVING_CLASS_DEGRADED, candorv1.Mechanism_MECHANISM_VIEW
		}
		return c.send(&candorv1.GetResponse{Object: webObject(5), Witness: w})
	}
}

func TestReadsAvoidADegradedNodeUntilItHasRecovered(t *testing.T) {
	for name, condition := range map[string]func(n *node) script{
		"VIEW_ONLY":        func(n *node) script { return n.in(candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY, 0) },
		"ROOT_UNAVAILABLE": func(n *node) script { return n.in(candorv1.DegradedMode_DEGRADED_MODE_ROOT_UNAVAILABLE, 0) },
		"ROOT_LAGGING": func(n *node) script {
			return n.in(candorv1.DegradedMode_DEGRADED_MODE_ROOT_LAGGING, candorv1.CatchUpState_CATCH_UP_STATE_LAGGING)
		},
		"refusing": func(*node) script { return refuses(&candor.Error{Reason: candor.ReasonRecovering}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, three...)
				s.each(func(n *node) { n.on("Get", n.answers(token(5))) })
				n2 := s.node("n2")
				n2.on("Get", condition(n2))
				c := s.client(three)
				warm(t, c)
				got := s.shares(func() {
					for range 300 {
						reads(t, c, 1)
						time.Sleep(10 * time.Millisecond) // 3 s in all
					}
				})
				if got["n2"] < 1 || got["n2"] > 4 {
					t.Errorf("the degraded node got %d of 300 reads in 3 s, want about one a second", got["n2"])
				}
				n2.on("Get", n2.answers(token(5)))
				time.Sleep(2 * time.Second)
				reads(t, c, 10)
				time.Sleep(2 * time.Second)
				reads(t, c, 10)
				if got := s.shares(func() { reads(t, c, 300) }); got["n2"] < 60 {
					t.Errorf("the node that recovered got %d of 300 reads", got["n2"])
				}
			})
		})
	}
}

// A node that cannot be connected to costs nobody any time once that is known.
func TestReadsDoNotWaitForANodeThatCannotBeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		s.each(func(n *node) { n.on("Get", n.answers(token(5))) })
		c := s.client(three)
		warm(t, c)
		s.node("n2").stop()
		reads(t, c, 30)
		start := time.Now()
		for range 100 {
			reads(t, c, 1)
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(start) - 10*time.Second; took > time.Millisecond {
			t.Errorf("100 reads waited %v in all", took)
		}
		s.node("n2").start()
		time.Sleep(2 * time.Second)
		if got := s.shares(func() { warm(t, c); reads(t, c, 100) }); got["n2"] < 60 {
			t.Errorf("shares %v: the node that came back is not asked", got)
		}
	})
}

// STRONG reads with a follower's read index are spread as well; without it they
// are the leader's.
func TestOnlyTheLeaderGetsStrongReadsThatNobodyElseMayServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		n1 := s.node("n1")
		s.each(func(n *node) { n.on("Get", n.gets(token(5), n1)) })
		n1.on("Status", n1.statuses(token(5), n1))
		c := s.client(three)
		_, err := c.Cluster().Status(t.Context(), client.OnEndpoint("n1:1"))
		noError(t, err)
		read := func(n int, options ...client.ReadOption) {
			for range n {
				_, _, err := c.Get(t.Context(), web, options...)
				noError(t, err)
				time.Sleep(time.Millisecond)
			}
		}
		read(50, client.WithFollowerReadIndex())
		if got := s.shares(func() { read(300, client.WithFollowerReadIndex()) }); got["n1"] < 60 || got["n2"] < 60 || got["n3"] < 60 {
			t.Errorf("with a follower's read index: %v", got)
		}
		if got := s.shares(func() { read(30) }); got["n1"] != 30 {
			t.Errorf("without: %v", got)
		}
	})
}
