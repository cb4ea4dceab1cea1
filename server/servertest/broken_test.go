package servertest_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
	"github.com/candor-plane/candor/verify/history"
)

// The checks must find what they look for: each of these servers proves something
// in a way that is wrong, and is found out by what its clients were answered.

// remembering answers the first proof that it got, as of now, for ever.
type remembering struct {
	replica.Peers
	mu    sync.Mutex
	proof *replica.ProveAnswer
}

func (p *remembering) Prove(ctx context.Context, leader raft.Server, term uint64) (replica.ProveAnswer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proof != nil {
		return *p.proof, nil
	}
	a, err := p.Peers.Prove(ctx, leader, term)
	if err == nil && a.Refusal == "" {
		p.proof = &a
	}
	return a, err
}

// modest says that the root is no farther than it was at the start.
type modest struct{ replica.Peers }

func (p *modest) Prove(ctx context.Context, leader raft.Server, term uint64) (replica.ProveAnswer, error) {
	a, err := p.Peers.Prove(ctx, leader, term)
	a.Index = min(a.Index, 1)
	return a, err
}

// agreeable has every voter confirm, once it has answered at all, without asking.
type agreeable struct {
	replica.Peers
	known sync.Map // of answers, by server ID
}

func (p *agreeable) Confirm(ctx context.Context, to raft.Server, q replica.ConfirmQuestion) (replica.ConfirmAnswer, error) {
	if known, ok := p.known.Load(to.ID); ok {
		a := known.(replica.ConfirmAnswer)
		a.Term, a.Nonce = q.Term, q.Nonce
		return a, nil
	}
	a, err := p.Peers.Confirm(ctx, to, q)
	if err == nil {
		p.known.Store(to.ID, a)
	}
	return a, err
}

// lenient is a clock on which bounds hardly age.
type lenient struct{ replica.Clock }

func (c *lenient) Boot() time.Duration { return 1 + c.Clock.Boot()/20 }

func TestABrokenProofIsFoundOut(t *testing.T) {
	peers := func(wrap func(replica.Peers) replica.Peers) func(*server.Config) {
		return func(c *server.Config) { c.Seams.WrapPeers = wrap }
	}
	for _, x := range []struct {
		name   string
		breaks func(*server.Config)
		// harm does to the cluster what the broken part is there for.
		harm func(c *servertest.Cluster, broken *server.Server)
		// broken is a leader's fault, or a follower's.
		leads bool
		// these properties must be violated.
		violates []string
	}{
		{
			"a proof that is remembered", peers(func(p replica.Peers) replica.Peers { return &remembering{Peers: p} }),
			func(c *servertest.Cluster, s *server.Server) { c.Isolate(s.Name()) }, false,
			[]string{"revisions follow real time", "bounded reads keep the bound asked for", "claimed staleness bounds are true"},
		},
		{
			"a proof of too little", peers(func(p replica.Peers) replica.Peers { return &modest{p} }),
			func(c *servertest.Cluster, s *server.Server) { c.Starve(s.Name()) }, false,
			[]string{"revisions follow real time", "bounded reads keep the bound asked for", "claimed staleness bounds are true"},
		},
		{
			"a majority that was not asked", peers(func(p replica.Peers) replica.Peers { return &agreeable{Peers: p} }),
			func(c *servertest.Cluster, s *server.Server) { c.Isolate(s.Name()) }, true,
			[]string{"revisions follow real time"},
		},
		{
			"a clock that is slow", func(c *server.Config) { c.Seams.Clock = &lenient{c.Seams.Clock} },
			func(c *servertest.Cluster, s *server.Server) { c.Isolate(s.Name()) }, false,
			[]string{"bounded reads keep the bound asked for", "claimed staleness bounds are true"},
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := servertest.Start(t, servertest.WithSettings(func(s *replica.Settings) {
					// A leader that is cut off believes in itself while others elect another.
					s.Heartbeat, s.Election, s.LeaderLease = 300*time.Millisecond, 300*time.Millisecond, 300*time.Millisecond
				}), servertest.WithServer("n1", x.breaks), servertest.WithServer("n1", func(c *server.Config) {
					if x.leads {
						c.Settings.Heartbeat, c.Settings.Election, c.Settings.LeaderLease = 3*time.Second, 3*time.Second, 3*time.Second
					}
				}))
				broken := c.Server(0)
				heir := map[bool]string{true: "n1", false: "n2"}[x.leads]
				if c.Leader().Name() != heir {
					ctx, cancel := within(20 * time.Second)
					_, err := c.Client(t).Cluster().TransferLeader(ctx, heir)
					cancel()
					if err != nil {
						t.Fatal(err)
					}
				}
				r := record(t, c, 6, 1)
				time.Sleep(500 * time.Millisecond)
				x.harm(c, broken)
				time.Sleep(4 * time.Second)
				c.Heal()
				time.Sleep(time.Second)
				s := history.Check(r.end(t), history.Standard(10)...)
				if s.Verdict() != history.Violated {
					t.Fatalf("not found out:\n%s", s)
				}
				violated := map[string]bool{}
				for _, report := range s.Reports {
					if report.Verdict == history.Violated {
						violated[report.Property] = true
					}
				}
				for _, property := range x.violates {
					if !violated[property] {
						t.Errorf("%s is not violated:\n%s", property, s)
					}
				}
				t.Log(slices.Sorted(maps.Keys(violated)))
			})
		})
	}
}
