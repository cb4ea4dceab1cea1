package servertest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
	"github.com/candor-plane/candor/verify/history"
)

// recordedKeys are what recorded clients write and read.
const recordedKeys = 3

// recording is clients that hop from node to node with every call, at every class
// of reads, and everything that they were answered.
type recording struct {
	recorder *history.Recorder
	stop     context.CancelFunc
	wait     sync.WaitGroup
}

// record starts clients, each with a session of its own. No two of their pauses
// are alike, so that the seed decides what meets.
func record(t testing.TB, c *servertest.Cluster, clients int, seed uint64) *recording {
	ctx, cancel := context.WithCancel(t.Context())
	r := &recording{recorder: history.NewRecorder(), stop: cancel}
	first := r.recorder.Caller("first", c.Client(t), history.Label("n"))
	for key := range recordedKeys {
		bounded, end := within(20 * time.Second)
		if _, err := first.Create(bounded, candor.KindNamespaces, numbered(key, "0")); err != nil {
			t.Fatal(err)
		}
		end()
	}
	nodes := names(c.Servers())
	for i := range clients {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		caller := r.recorder.Caller(fmt.Sprintf("client-%d", i), c.Client(t), history.Label("n"))
		r.wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				step(ctx, caller, random, nodes[random.IntN(len(nodes))], fmt.Sprintf("%d-%d", i, n))
				time.Sleep(time.Duration(2+random.IntN(20)) * time.Millisecond)
			}
		})
	}
	return r
}

func numbered(key int, value string) *candor.Object {
	o := namespace(fmt.Sprintf("key-%d", key))
	o.Metadata.Labels = map[string]string{"n": value}
	return o
}

// step is one operation; every error is part of the record.
func step(ctx context.Context, caller *history.Caller, random *rand.Rand, node, value string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 400*time.Millisecond)
	defer cancel()
	key := random.IntN(recordedKeys)
	ref := refOf(fmt.Sprintf("key-%d", key))
	at := client.OnEndpoint(node)
	var ask history.Ask
	switch random.IntN(11) {
	case 0, 1, 2:
		_, _ = caller.Update(ctx, candor.KindNamespaces, numbered(key, value))
		return
	case 3:
		ask.Freshness = candor.FreshnessStrong
	case 4, 5:
		ask.Freshness = candor.FreshnessStrong
		_, _, _ = caller.Get(ctx, ref, ask, at, client.WithFollowerReadIndex())
		return
	case 6, 7:
		bound := []time.Duration{120 * time.Millisecond, 300 * time.Millisecond, time.Second}[random.IntN(3)]
		ask.Freshness, ask.MaxStaleness = candor.FreshnessBounded, &bound
	case 8:
		ask.Freshness = candor.FreshnessBestEffort
	default:
		// Nothing that the session knows is required: the proof stands alone.
		ask.Freshness, ask.Sessionless = candor.FreshnessBounded, true
		if random.IntN(2) == 0 {
			ask.Freshness = candor.FreshnessStrong
			_, _, _ = caller.Get(ctx, ref, ask, at, client.WithFollowerReadIndex())
			return
		}
	}
	if random.IntN(6) == 0 {
		_, _ = caller.List(ctx, candor.KindNamespaces, client.ListOptions{}, ask, at)
		return
	}
	_, _, _ = caller.Get(ctx, ref, ask, at)
}

// end stops the clients and hands the history over.
func (r *recording) end(t testing.TB) *history.History {
	t.Helper()
	r.stop()
	r.wait.Wait()
	h, err := r.recorder.History()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// faults does to a cluster what a seed says: cuts of one or both ways, slow and
// starved links, servers that pause, leaders that are replaced.
func faults(t testing.TB, c *servertest.Cluster, rounds int, random *rand.Rand) (bit map[string]int) {
	t.Helper()
	bit = map[string]int{}
	all := names(c.Servers())
	k := c.Client(t)
	for range rounds {
		node, other := all[random.IntN(len(all))], all[random.IntN(len(all))]
		leader := c.Leader().Name()
		switch random.IntN(7) {
		case 0:
			bit["isolated"]++
			c.Isolate(node)
		case 1:
			bit["leader isolated"]++
			c.Isolate(leader)
		case 2:
			bit["paused"]++
			c.Silence(node)
		case 3:
			bit["leader paused"]++
			c.Silence(leader)
		case 4:
			bit["cut one way"]++
			if node != other {
				c.Cut(node, other)
			}
		case 5:
			bit["behind"]++
			c.Starve(node)
		default:
			bit["handed over"]++
			ctx, cancel := within(2 * time.Second)
			_, _ = k.Cluster().TransferLeader(ctx, "")
			cancel()
			c.Slow(leader, node, 30*time.Millisecond)
		}
		time.Sleep(time.Duration(200+random.IntN(1800)) * time.Millisecond)
		c.Heal()
		time.Sleep(time.Duration(random.IntN(600)) * time.Millisecond)
	}
	return bit
}
