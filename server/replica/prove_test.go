package replica

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

func prove(r *Replica, limit time.Duration) (Proof, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return r.Prove(ctx)
}

// serveProve asks a server that may lead, as another in a term.
func serveProve(n, from *node, term uint64) ProveAnswer {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	answer, _ := n.replica().ServeProve(ctx, from.id, term)
	return answer
}

func (c *cluster) others(than *node) []*node {
	var out []*node
	for _, n := range c.nodes {
		if n != than {
			out = append(out, n)
		}
	}
	return out
}

// cutOff cuts every link between two servers.
func (c *cluster) cutOff(a, b *node) {
	c.net.cut(a.address, b.address)
	c.net.cut(b.address, a.address)
}

// stand has a server stand for election at once.
func (c *cluster) stand(n *node) {
	c.t.Helper()
	r := n.replica()
	request := &raft.TimeoutNowRequest{RPCHeader: header(r.transport, r.serverID)}
	if err := r.transport.TimeoutNow(raft.ServerID(n.id), n.address, request, &raft.TimeoutNowResponse{}); err != nil {
		c.t.Fatal(err)
	}
}

func TestAProofCoversWhatWasAcknowledgedBeforeItBegan(t *testing.T) {
	for _, servers := range []int{1, 3, 5} {
		t.Run(fmt.Sprint(servers, " servers"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, servers)
				c.leader()
				for i := range 20 {
					token := c.mustPropose(c.nodes[i%servers], fmt.Sprint("n", i))
					for _, n := range c.nodes {
						r := n.replica()
						before := r.clock.Boot()
						p, err := prove(r, time.Second)
						if err != nil || p.Index < token.Index || p.Term != token.Term || p.Began < before || r.Elapsed(p.Began) < 0 {
							t.Fatalf("%s: %+v, %v after %s", n.id, p, err, token)
						}
						if leads := n == c.leader(); (p.First == 0) != leads || p.Root.Index < token.Index {
							t.Errorf("%s: first %d, root %s", n.id, p.First, p.Root)
						}
						if err := r.WaitApplied(within(time.Second), p.Index); err != nil || !has(n, fmt.Sprint("n", i)) {
							t.Errorf("%s: the view at %d does not show the write (%v)", n.id, p.Index, err)
						}
					}
					if i%7 == 6 && servers > 1 {
						if err := c.leader().replica().TransferLeader(within(time.Second), ""); err != nil {
							t.Fatal(err)
						}
						// Now and then another stands as well.
						time.Sleep(time.Second)
						c.leader()
					}
				}
			})
		})
	}
}

// history is when which index had been acknowledged, on the clock of all replicas
// of a test.
type history struct {
	mu   sync.Mutex
	acks []acknowledged
}

type acknowledged struct {
	at    time.Duration
	index uint64
}

func (h *history) note(at time.Duration, index uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acks = append(h.acks, acknowledged{at, index})
}

// before is the newest index that had been acknowledged before a moment.
func (h *history) before(at time.Duration) (index uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.acks {
		if a.at < at {
			index = max(index, a.index)
		}
	}
	return index
}

// The law of proofs under random cuts, delays and hand-overs: whoever is given
// one, on whatever server, it began after the call and covers every write that
// was acknowledged before it began.
func TestNoProofMissesAnAcknowledgedWrite(t *testing.T) {
	for seed := range seeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers := 3 + 2*int(seed%2)
				c := newCluster(t, servers)
				c.leader()
				ctx, cancel := context.WithCancel(t.Context())
				var proofs atomic.Uint64
				acked := &history{}
				var wg sync.WaitGroup
				for i := range servers {
					n := c.nodes[i]
					wg.Add(2)
					go func() {
						defer wg.Done()
						for k := 0; ctx.Err() == nil; k++ {
							if result, err := propose(n.replica(), fmt.Sprintf("s%d-%d", i, k), 400*time.Millisecond); err == nil && result.Err() == nil {
								acked.note(n.replica().clock.Boot(), result.Token.Index)
							}
							time.Sleep(3 * time.Millisecond)
						}
					}()
					go func() {
						defer wg.Done()
						for ctx.Err() == nil {
							began := n.replica().clock.Boot()
							if p, err := prove(n.replica(), 600*time.Millisecond); err == nil {
								proofs.Add(1)
								if floor := acked.before(p.Began); p.Index < floor || p.Began < began {
									t.Errorf("%s asked at %s and was given index %d as of %s; %d was acknowledged before", n.id, began, p.Index, p.Began, floor)
								}
							}
							time.Sleep(time.Millisecond)
						}
					}()
				}
				// Questions and answers may lie about for longer than an election takes.
				late := rand.New(rand.NewPCG(seed, 11))
				var mu sync.Mutex
				linger := func() {
					mu.Lock()
					d := time.Duration(0)
					if late.IntN(4) == 0 {
						d = time.Duration(1+late.IntN(300)) * time.Millisecond
					}
					mu.Unlock()
					if d > 0 {
						time.Sleep(d)
					}
				}
				for _, n := range c.nodes {
					n.replica().peers.(*testPeers).linger.Store(&linger)
				}
				rng := rand.New(rand.NewPCG(seed, 7))
				for range 60 {
					time.Sleep(time.Duration(1+rng.IntN(250)) * time.Millisecond)
					switch a, b := c.nodes[rng.IntN(servers)], c.nodes[rng.IntN(servers)]; rng.IntN(5) {
					case 0:
						c.net.heal()
					case 1:
						c.net.heal()
						time.Sleep(100 * time.Millisecond)
						c.stand(a)
					default:
						c.net.set(a.address, b.address, a != b && rng.IntN(4) != 0)
					}
				}
				c.net.heal()
				time.Sleep(2 * time.Second)
				cancel()
				wg.Wait()
				c.mustPropose(c.leader(), "end")
				c.converged("end")
				if proofs.Load() < 100 || len(acked.acks) < 100 {
					t.Errorf("%d proofs and %d writes prove little", proofs.Load(), len(acked.acks))
				}
			})
		})
	}
}

// TestALeaderThatWasPassedByProvesNothingOfNow: paused, it does not know yet that
// the others have another leader. What they asked it before is as good as it was.
func TestALeaderThatWasPassedByProvesNothingOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		old := c.leader()
		others := c.others(old)
		c.mustPropose(old, "before")
		term := old.replica().raft.CurrentTerm()
		for _, n := range others {
			c.cutOff(old, n)
		}
		c.stand(others[0])
		next := c.leader(old)
		after := c.mustPropose(next, "after")
		if !old.replica().Leading() || after.Term == term {
			t.Fatalf("the old leader leads: %t; term %d after %d", old.replica().Leading(), after.Term, term)
		}
		for _, n := range others {
			if a := serveProve(old, n, n.replica().raft.CurrentTerm()); a.Refusal == "" {
				t.Errorf("proved index %d to %s, which knows of term %d", a.Index, n.id, after.Term)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		old := c.leader()
		others := c.others(old)
		before := c.mustPropose(old, "before")
		// The question is on its way while all this happens.
		term := others[1].replica().raft.CurrentTerm()
		for _, n := range others {
			c.cutOff(old, n)
		}
		c.stand(others[0])
		c.mustPropose(c.leader(old), "after")
		if a := serveProve(old, others[1], term); a.Refusal == "" && (a.Index < before.Index || a.Term != term) {
			t.Errorf("asked before the others went on, it answers %+v; %s was acknowledged then", a, before)
		}
	})
}

// TestAnIsolatedLeaderProvesNothingToAnyone, whichever way it is cut off.
func TestAnIsolatedLeaderProvesNothingToAnyone(t *testing.T) {
	for _, way := range []string{"both", "sends nothing", "hears nothing"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, 3)
				old := c.leader()
				c.mustPropose(old, "before")
				for _, n := range c.others(old) {
					if way != "hears nothing" {
						c.net.cut(old.address, n.address)
					}
					if way != "sends nothing" {
						c.net.cut(n.address, old.address)
					}
				}
				for began := time.Now(); time.Since(began) < 3*time.Second; {
					if p, err := prove(old.replica(), 300*time.Millisecond); err == nil {
						t.Fatalf("proved index %d to itself, %s after it was cut off", p.Index, time.Since(began))
					}
					time.Sleep(10 * time.Millisecond)
				}
				next := c.leader(old)
				token := c.mustPropose(next, "after")
				for _, n := range c.others(old) {
					if p, err := prove(n.replica(), time.Second); err != nil || p.Index < token.Index || p.Term != token.Term {
						t.Errorf("%s beside the new leader: %+v, %v", n.id, p, err)
					}
				}
				c.net.heal()
				c.until("proven to the old leader too", 5*time.Second, func() bool {
					p, err := prove(old.replica(), time.Second)
					return err == nil && p.Index >= token.Index
				})
			})
		})
	}
}

// TestOnlyAVotersQuestionConfirms: a member without a vote, or a stranger, is no
// part of a majority.
func TestOnlyAVotersQuestionConfirms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 2)
		x := c.add()
		c.start(x)
		leader := c.leader()
		if _, err := leader.replica().Join(within(5*time.Second), raft.Server{ID: raft.ServerID(x.id), Address: x.address}, 0); err != nil {
			t.Fatal(err)
		}
		term := leader.replica().raft.CurrentTerm()
		stranger := &node{id: "s9"}
		if a := serveProve(leader, x, term); a.Refusal != "" {
			t.Errorf("refused a member without a vote: %s", a.Refusal)
		}
		if a := serveProve(leader, stranger, term); a.Refusal != candor.ReasonNotAMember {
			t.Errorf("a stranger is told %q", a.Refusal)
		}
		for _, n := range c.others(leader) {
			if n != x {
				c.cutOff(leader, n)
			}
		}
		for _, asker := range []*node{x, stranger, leader} {
			if a := serveProve(leader, asker, term); a.Refusal == "" {
				t.Errorf("%s alone confirmed index %d", asker.id, a.Index)
			}
		}
	})
}

func TestARemovedServerIsToldSoOnceThatIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		others := c.others(leader)
		stays, leaves := others[0], others[1]
		c.mustPropose(leader, "before")
		c.converged("before")
		term := leader.replica().raft.CurrentTerm()
		release := stays.disk.stop()
		removed := make(chan error, 1)
		go func() {
			_, err := leader.replica().Remove(within(5*time.Second), leaves.id, 0, true)
			removed <- err
		}()
		c.until("removed in the leader's log", time.Second, func() bool {
			_, found := leader.replica().Configuration().Find(raft.ServerID(leaves.id))
			return !found
		})
		if a := serveProve(leader, leaves, term); a.Refusal != "" {
			t.Errorf("told %s of a removal that is not committed", a.Refusal)
		}
		release()
		if err := <-removed; err != nil {
			t.Fatal(err)
		}
		c.mustPropose(leader, "after")
		c.until("the removed server told", 5*time.Second, func() bool {
			_, err := prove(leaves.replica(), time.Second)
			return candor.ReasonOf(err) == candor.ReasonNotAMember
		})
		if _, err := prove(stays.replica(), time.Second); err != nil {
			t.Errorf("the server that stays: %v", err)
		}
		if _, err := leader.replica().Join(within(5*time.Second), raft.Server{ID: raft.ServerID(leaves.id), Address: leaves.address}, 0); err != nil {
			t.Fatal(err)
		}
		c.until("a member again", 5*time.Second, func() bool {
			_, err := prove(leaves.replica(), time.Second)
			return err == nil
		})
	})
}

// TestAServerThatHearsOfNoLeaderAsksAround: whom it asks first may know nothing.
func TestAServerThatHearsOfNoLeaderAsksAround(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 4)
		leaves, first := c.nodes[3], c.nodes[0]
		if leader := c.leader(); leader == leaves || leader == first {
			if err := leader.replica().TransferLeader(within(time.Second), c.nodes[1].id); err != nil {
				t.Fatal(err)
			}
		}
		c.until("led by another", time.Second, func() bool { return c.nodes[1].replica().Leading() || c.nodes[2].replica().Leading() })
		if _, err := c.leader().replica().Remove(within(5*time.Second), leaves.id, 0, false); err != nil {
			t.Fatal(err)
		}
		// The first that it knows is alive, and out of touch with the others.
		c.cutOff(first, c.nodes[1])
		c.cutOff(first, c.nodes[2])
		c.until("no leader known there", 5*time.Second, func() bool { return first.replica().Leader() == nil && leaves.replica().Leader() == nil })
		var err error
		for range 8 {
			if _, err = prove(leaves.replica(), time.Second); candor.ReasonOf(err) == candor.ReasonNotAMember {
				return
			}
		}
		t.Errorf("after asking eight times: %v", err)
	})
}

func TestConcurrentCallersShareAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		r := c.follower().replica()
		linger := func() { time.Sleep(time.Millisecond) }
		r.peers.(*testPeers).linger.Store(&linger)
		before := r.prover.begun.Load()
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if _, err := prove(r, time.Second); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if asked := r.prover.begun.Load() - before; asked < 1 || asked > 3 {
			t.Errorf("1000 callers at once asked %d questions", asked)
		}
	})
}

// TestACallersDeadlineAndTheServersEndEndAQuestion.
func TestACallersDeadlineAndTheServersEndEndAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		c.mustPropose(c.leader(), "before")
		asker := c.follower()
		r := asker.replica()
		for _, n := range c.others(asker) {
			c.cutOff(asker, n)
		}
		began := time.Now()
		_, err := prove(r, 50*time.Millisecond)
		wantReason(t, err, candor.ReasonTimedOut)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err = r.Prove(ctx)
		wantReason(t, err, candor.ReasonCanceled)
		_, err = r.Prove(ctx)
		wantReason(t, err, candor.ReasonCanceled)
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("two calls of 50 ms took %s", took)
		}
		_, err = prove(r, 5*time.Second)
		wantReason(t, err, candor.ReasonRootUnavailable)
		if e, ok := errors.AsType[*candor.Error](err); ok && e.Leader != nil && e.Leader.ServerID == asker.id {
			t.Errorf("hints at itself: %+v", e.Leader)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := prove(r, 5*time.Second)
			ended <- err
		}()
		synctest.Wait()
		c.net.heal()
		c.stop(asker, true)
		wantReason(t, <-ended, candor.ReasonShuttingDown)
		_, err = prove(r, time.Second)
		wantReason(t, err, candor.ReasonShuttingDown)
	})
}

// TestWhatAMajoritySharesComesWithTheProof, and its digest is every server's own.
func TestWhatAMajoritySharesComesWithTheProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		token := c.mustPropose(c.leader(), "one")
		c.converged("one")
		var p Proof
		c.until("agreed on the newest entry", time.Second, func() bool {
			if _, err := prove(c.leader().replica(), time.Second); err != nil {
				t.Fatal(err)
			}
			p, _ = prove(c.follower().replica(), time.Second)
			return p.Agreed.Index >= token.Index
		})
		for _, n := range c.nodes {
			if own, ok := n.replica().machine.DigestAt(p.Agreed.Index); !ok || own != p.Agreed {
				t.Errorf("%s has %x at %d", n.id, own.Digest, own.Index)
			}
		}
	})
}
