package client_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// replicas are nodes whose views follow a root at their own pace.
type replicas struct {
	root  atomic.Uint64
	views map[string]*atomic.Uint64
}

func newReplicas(s *stage, leader *node) *replicas {
	r := &replicas{views: map[string]*atomic.Uint64{}}
	r.root.Store(1)
	s.each(func(n *node) {
		view := new(atomic.Uint64)
		view.Store(1)
		r.views[n.name] = view
		n.on("Status", n.statuses(token(1), leader))
		n.on("Create", notLeader(leader, 1))
		n.on("Get", func(c *call) error {
			at := token(view.Load())
			w := n.weaker(freshnessOf(c), at)
			if !at.Covers(required(c).Token) {
				w.ServedFreshness, w.ServingClass, w.Mechanism = 0, 0, 0
				return &candor.Error{Reason: candor.ReasonRootTokenNotReached, Witness: convert.WitnessFromProto(w)}
			}
			return c.send(&candorv1.GetResponse{Object: webObject(at.Revision), Witness: w})
		})
	})
	leader.on("Create", func(c *call) error {
		at := r.root.Add(1)
		r.views[leader.name].Store(at)
		return c.send(&candorv1.CreateResponse{Result: leader.result(token(at))})
	})
	return r
}

// advance brings one node's view up to the root.
func (r *replicas) advance(name string) { r.views[name].Store(r.root.Load()) }

// A caller reads its own writes and never goes back, whichever node answers: the
// endpoint changes with every call, the process with some, and the nodes lag.
func TestAHoppingClientReadsItsOwnWritesAndNeverGoesBack(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { hop(t, rand.New(rand.NewPCG(seed, 2))) })
		})
	}
}

func hop(t *testing.T, random *rand.Rand) {
	s := newStage(t, three...)
	r := newReplicas(s, s.node("n1"))
	stop := make(chan struct{})
	defer close(stop)
	for i, name := range three { // n2 follows closely, n3 by jumps
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(1+i*i*40) * time.Millisecond):
					r.advance(name)
				}
			}
		}()
	}
	c := s.client(three)
	var written, seen candor.Token
	for i := range 120 {
		switch {
		case random.IntN(4) == 0:
			result, err := c.Create(t.Context(), deployment())
			noError(t, err)
			written = result.Token
		case random.IntN(10) == 0: // another process goes on
			saved, err := json.Marshal(c.Session())
			noError(t, err)
			session := new(client.Session)
			noError(t, json.Unmarshal(saved, session))
			c = s.client(three, func(cfg *client.Config) { cfg.Session = session })
		}
		class := []candor.Freshness{candor.FreshnessBounded, candor.FreshnessBestEffort}[random.IntN(2)]
		options := []client.ReadOption{client.WithFreshness(class)}
		if random.IntN(3) > 0 {
			options = append(options, client.OnEndpoint(three[i%len(three)]+":1"))
		}
		object, w, err := c.Get(t.Context(), web, options...)
		noError(t, err)
		if !w.ServedToken.Covers(written) || !w.ServedToken.Covers(seen) || object.Metadata.ResourceVersion != w.ServedToken.Revision {
			t.Fatalf("read %d: %s served %s after %s was written and %s was seen", i, w.NodeName, w.ServedToken, written, seen)
		}
		seen = w.ServedToken
	}
}

// Pinned to a node that is behind, a read waits for it until the deadline, past
// the time of one attempt.
func TestAPinnedReadWaitsForItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		r := newReplicas(s, s.node("n1"))
		c := s.client(three)
		_, err := c.Create(t.Context(), deployment())
		noError(t, err)
		time.AfterFunc(2*client.DefaultAttemptTimeout, func() { r.advance("n3") })
		_, w, err := c.Get(t.Context(), web, client.WithFreshness(candor.FreshnessBestEffort), client.OnEndpoint("n3:1"))
		noError(t, err)
		if w.NodeName != "n3" || w.ServedToken != token(2) {
			t.Errorf("%s served %s", w.NodeName, w.ServedToken)
		}
		if n := s.node("n1").count("Get") + s.node("n2").count("Get"); n != 0 {
			t.Errorf("others were asked %d times", n)
		}
	})
}

// Not pinned, it goes to the leader, which has what is required.
func TestAReadOfANodeThatIsBehindGoesToTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		newReplicas(s, s.node("n1"))
		c := s.client(three)
		_, err := c.Create(t.Context(), deployment())
		noError(t, err)
		for range 30 {
			_, w, err := c.Get(t.Context(), web, client.WithFreshness(candor.FreshnessBounded))
			noError(t, err)
			if w.NodeName != "n1" {
				t.Fatalf("served by %s", w.NodeName)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := s.node("n2").count("Get") + s.node("n3").count("Get"); n > 6 {
			t.Errorf("nodes known to be behind were asked %d times", n)
		}
	})
}
