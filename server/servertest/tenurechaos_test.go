package servertest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server/servertest"
)

// TestNoNumberTwiceWhateverHappens: servers are killed, stopped, cut off and silenced,
// leadership and duties are moved, while everybody asks every server for numbers.
func TestNoNumberTwiceWhateverHappens(t *testing.T) {
	long(t)
	for _, seed := range []uint64{1, 2, 3} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { upheaval(t, rand.New(rand.NewPCG(seed, 11)), 16) })
		})
	}
}

func upheaval(t *testing.T, random *rand.Rand, rounds int) {
	c := servertest.Start(t, servertest.WithServers(5), servertest.WithData(t.TempDir()), servertest.WithRetainRevisions(2000))
	n := takeNumbers(t, c, often)
	k := c.Client(t)
	all, bit := names(c.Servers()), map[string]int{}
	for i := range rounds {
		leader := c.Leader().Name()
		victim := all[random.IntN(len(all))]
		if random.IntN(2) == 0 {
			victim = holderName(t, c, []string{idsDuty, tsoDuty}[random.IntN(2)], leader)
		}
		var down []string
		kind := []string{"killed", "stopped", "cut off", "cut off with another", "silenced", "deaf", "leadership moved", "duty moved"}[random.IntN(8)]
		bit[kind]++
		switch kind {
		case "killed":
			down = []string{victim}
			c.Kill(victim)
		case "stopped":
			down = []string{victim}
			c.Stop(victim)
		case "cut off":
			c.Isolate(victim)
		case "cut off with another":
			pair := []string{victim, all[random.IntN(len(all))]}
			for _, other := range all {
				if !slices.Contains(pair, other) {
					for _, one := range pair {
						c.Cut(one, other)
						c.Cut(other, one)
					}
				}
			}
		case "silenced":
			c.Silence(victim)
		case "deaf":
			for _, other := range all {
				if other != victim {
					c.Cut(other, victim)
				}
			}
		case "leadership moved":
			ctx, cancel := within(2 * time.Second)
			_, _ = k.Cluster().TransferLeader(ctx, "")
			cancel()
		default:
			duty := []string{janitorDuty, idsDuty, tsoDuty}[random.IntN(3)]
			ctx, cancel := within(2 * time.Second)
			to := all[random.IntN(len(all))]
			_, _ = candorv1.NewTenureServiceClient(linked(t, c, holderName(t, c, duty, leader))).TransferTenure(ctx, &candorv1.TransferTenureRequest{Duty: duty, Server: to})
			cancel()
		}
		time.Sleep(time.Duration(200+random.IntN(5000)) * time.Millisecond)
		c.Heal()
		for _, name := range down {
			c.Restart(name)
		}
		time.Sleep(time.Duration(random.IntN(900)) * time.Millisecond)
		// A write now and then, so that versions of other things lie between.
		mustCreate(t, k, fmt.Sprintf("round-%d", i))
	}
	before := map[string]uint64{idsDuty: n.newest(idsDuty), tsoDuty: n.newest(tsoDuty)}
	for duty, highest := range before {
		c.Until("more of "+duty, func() bool { return n.newest(duty) > highest })
	}
	n.finish(t, c)
	wantSoundTenures(t, c)
	n.judge(t, c, 4)
	t.Logf("%v", bit)
}

// holderName is who holds a duty by the leader's view, or else a server that is given.
func holderName(t *testing.T, c *servertest.Cluster, duty, otherwise string) string {
	t.Helper()
	id := strings.TrimPrefix(lineage(t, c.Leader(), duty).Current.Holder, "server/")
	for _, s := range c.Servers() {
		if s.ID() == id {
			return s.Name()
		}
	}
	return otherwise
}
