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

func readIndex(r *Replica, limit time.Duration) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	index, _, err := r.ReadIndex(ctx)
	return index, err
}

func TestAReadIndexCoversWhatWasAcknowledgedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		for i := range 20 {
			token := c.mustPropose(c.follower(), fmt.Sprint("n", i))
			index, term, err := c.leader().replica().ReadIndex(t.Context())
			if err != nil || index < token.Index || term != token.Term {
				t.Fatalf("read index %d of term %d %v after %s", index, term, err, token)
			}
		}
		_, err := readIndex(c.follower().replica(), time.Second)
		wantReason(t, err, candor.ReasonNotLeader)
		e, ok := errors.AsType[*candor.Error](err)
		if !ok || e.Leader == nil || e.Leader.ServerID != c.leader().id {
			t.Errorf("no hint to the leader: %+v", e)
		}
	})
}

// Each way of cutting a leader off, one direction at a time. It must not
// confirm itself once the others may have elected a newer one.
func TestAnIsolatedLeaderIsNeverConfirmed(t *testing.T) {
	for _, way := range []string{"both", "questions lost", "answers lost", "to one only"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, 3)
				old := c.leader()
				c.mustPropose(old, "before")
				if _, err := readIndex(old.replica(), time.Second); err != nil {
					t.Fatal(err)
				}
				first := true
				for _, n := range c.nodes {
					if n == old {
						continue
					}
					if way != "answers lost" {
						c.net.cut(old.address, n.address)
					}
					if way == "both" || way == "answers lost" || way == "to one only" && first {
						c.net.cut(n.address, old.address)
					}
					first = false
				}
				for began := time.Now(); time.Since(began) < 3*time.Second; {
					if index, err := readIndex(old.replica(), 300*time.Millisecond); err == nil {
						t.Fatalf("confirmed at %d, %s after it was cut off", index, time.Since(began))
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
		})
	}
}

// The law of a read index under random cuts: whoever is given one, it is at
// least the newest acknowledged write's of the time of asking.
func TestNoReadIndexMissesAnAcknowledgedWrite(t *testing.T) {
	for seed := range seeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, 3)
				c.leader()
				ctx, cancel := context.WithCancel(t.Context())
				var newest, reads, writes atomic.Uint64
				var wg sync.WaitGroup
				for i := range 3 {
					n := c.nodes[i]
					wg.Add(2)
					go func() {
						defer wg.Done()
						for k := 0; ctx.Err() == nil; k++ {
							if result, err := propose(n.replica(), fmt.Sprintf("s%d-%d", i, k), 400*time.Millisecond); err == nil && result.Err() == nil {
								writes.Add(1)
								for old := newest.Load(); old < result.Token.Index && !newest.CompareAndSwap(old, result.Token.Index); old = newest.Load() {
								}
							}
							time.Sleep(3 * time.Millisecond)
						}
					}()
					go func() {
						defer wg.Done()
						for ctx.Err() == nil {
							floor := newest.Load()
							if index, err := readIndex(n.replica(), 300*time.Millisecond); err == nil {
								reads.Add(1)
								if index < floor {
									t.Errorf("%s was given index %d when %d was acknowledged", n.id, index, floor)
								}
							}
							time.Sleep(time.Millisecond)
						}
					}()
				}
				rng := rand.New(rand.NewPCG(seed, 7))
				for range 60 {
					time.Sleep(time.Duration(rng.IntN(250)) * time.Millisecond)
					if rng.IntN(3) == 0 {
						c.net.heal()
						continue
					}
					a, b := c.nodes[rng.IntN(3)], c.nodes[rng.IntN(3)]
					c.net.set(a.address, b.address, a != b && rng.IntN(4) != 0)
				}
				c.net.heal()
				time.Sleep(2 * time.Second)
				cancel()
				wg.Wait()
				c.mustPropose(c.leader(), "end")
				c.converged("end")
				if reads.Load() < 100 || writes.Load() < 100 {
					t.Errorf("%d reads and %d writes prove little", reads.Load(), writes.Load())
				}
			})
		})
	}
}

func TestConcurrentReadersShareRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		r := leader.replica()
		for _, n := range c.nodes {
			c.net.slow[n.address] = time.Millisecond
		}
		before := r.Status().ConfirmRounds
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if _, err := readIndex(r, time.Second); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		rounds := r.Status().ConfirmRounds - before
		if rounds < 1 || rounds > 3 {
			t.Errorf("1000 readers at once took %d rounds", rounds)
		}
	})
}

func TestARoundEndsWithTheMajorityAndADeadPeerIsNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		var dead *node
		for _, n := range c.nodes {
			if n != leader {
				dead = n
			}
		}
		// Its raft lives, so that the leader stays; its confirmations never come.
		c.net.slow[dead.address] = time.Hour
		began := time.Now()
		const reads = 500
		for range reads {
			if _, err := readIndex(leader.replica(), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("%d rounds with a dead peer took %s", reads, took)
		}
		c.net.mu.Lock()
		asked := c.net.confirms[dead.address]
		delete(c.net.slow, dead.address)
		c.net.mu.Unlock()
		if asked > 2*confirmsOut {
			t.Errorf("the dead peer was asked %d times in no time", asked)
		}
		// When the other dies, the one that was dead is heard again.
		for _, n := range c.nodes {
			if n != leader && n != dead {
				c.net.mu.Lock()
				c.net.slow[n.address] = time.Hour
				c.net.mu.Unlock()
			}
		}
		if _, err := readIndex(leader.replica(), 2*time.Second); err != nil {
			t.Errorf("after the dead peer returned: %v", err)
		}
	})
}

func TestAnAnswerOfAnotherServerOrClusterDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		r := leader.replica()
		lies := map[string]func(*ConfirmAnswer){
			"another server":  func(a *ConfirmAnswer) { a.ServerID = "s9" },
			"another cluster": func(a *ConfirmAnswer) { a.ClusterID = "c9" },
			"an old question": func(a *ConfirmAnswer) { a.Nonce-- },
			"an older term":   func(a *ConfirmAnswer) { a.Term-- },
		}
		peers := r.peers.(*testPeers)
		for name, lie := range lies {
			peers.lie.Store(&lie)
			_, err := readIndex(r, time.Second)
			if candor.ReasonOf(err) != candor.ReasonLeadershipUnconfirmed {
				t.Errorf("%s: %v", name, err)
			}
		}
		newer := func(a *ConfirmAnswer) { a.Term++ }
		peers.lie.Store(&newer)
		_, err := readIndex(r, time.Second)
		wantReason(t, err, candor.ReasonNotLeader)
	})
}

// An answer that was given before a round began is no answer to that round,
// however late it arrives.
func TestALateAnswerCountsForItsOwnRoundOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		var held []chan struct{}
		var mu sync.Mutex
		first := raft.ServerAddress("")
		for _, n := range c.nodes {
			if n != leader {
				first = n.address
			}
		}
		round := leader.replica().confirm.begun.Load() + 1
		hold := func(to raft.ServerAddress, nonce uint64) {
			if to != first && nonce == round {
				return
			}
			release := make(chan struct{})
			mu.Lock()
			held = append(held, release)
			mu.Unlock()
			<-release
		}
		leader.replica().peers.(*testPeers).hold.Store(&hold)
		// One peer's answer ends the first round; the other's is on its way.
		if _, err := readIndex(leader.replica(), time.Second); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		second := make(chan error, 1)
		go func() {
			_, err := readIndex(leader.replica(), 20*time.Millisecond)
			second <- err
		}()
		synctest.Wait()
		mu.Lock()
		close(held[0])
		mu.Unlock()
		wantReason(t, <-second, candor.ReasonTimedOut)
		leader.replica().peers.(*testPeers).hold.Store(nil)
		mu.Lock()
		defer mu.Unlock()
		for _, release := range held[1:] {
			close(release)
		}
	})
}

func TestAReaderLeavesAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		for _, n := range c.nodes {
			c.net.slow[n.address] = 100 * time.Millisecond
		}
		_, err := readIndex(leader.replica(), 10*time.Millisecond)
		wantReason(t, err, candor.ReasonTimedOut)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err = leader.replica().ReadIndex(ctx)
		wantReason(t, err, candor.ReasonCanceled)
	})
}
