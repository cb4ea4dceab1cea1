package servertest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/server/servertest"
)

// TestPartitionsThatComeAndGoLeaveOneState cuts links at random, both ways or
// one way, and mends them, while writers write. At the end all servers are in
// one state, and it holds what was acknowledged.
func TestPartitionsThatComeAndGoLeaveOneState(t *testing.T) {
	seeds := []uint64{1, 2, 3}
	if testing.Short() {
		seeds = seeds[:1]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { partitions(t, rand.New(rand.NewPCG(seed, 7))) })
		})
	}
}

func partitions(t *testing.T, random *rand.Rand) {
	c := servertest.Start(t, servertest.WithServers(5), shortLogs())
	w := startWriters(t, c, 4, 60*time.Millisecond, time.Second)
	all := names(c.Servers())
	for range 12 {
		switch random.IntN(4) {
		case 0:
			c.Isolate(all[random.IntN(5)])
		case 1:
			c.Isolate(c.Leader().Name())
		case 2:
			// Two against three.
			order := random.Perm(5)
			for _, i := range order[:2] {
				for _, j := range order[2:] {
					c.Cut(all[i], all[j])
					c.Cut(all[j], all[i])
				}
			}
		default:
			for range 6 {
				if from, to := all[random.IntN(5)], all[random.IntN(5)]; from != to {
					c.Cut(from, to)
				}
			}
		}
		time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
		c.Heal()
		time.Sleep(time.Duration(random.IntN(800)) * time.Millisecond)
	}
	before := w.count()
	c.Until("writes go on", func() bool { return w.count() > before+20 })
	w.end()
	w.wantAllKept(t, c)
	t.Logf("%d acknowledged, %d unknown, %d refused, longest pause %s", len(w.acked), len(w.unknown), len(w.refused), w.gap)
}
