package heap

import (
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestRoomFollowsTheLiveHeapWithinItsLimits(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct{ live, room uint64 }{
		{0, 64 * mib}, {10 * mib, 64 * mib}, {100 * mib, 100 * mib}, {600 * mib, 384 * mib}, {4096 * mib, 1024 * mib},
	} {
		if got := room(c.live); got != c.room {
			t.Errorf("room beside %d MiB: %d MiB, want %d", c.live/mib, got/mib, c.room/mib)
		}
	}
	for _, c := range []struct {
		live, roots uint64
		percent     int
	}{{10 * mib, 6 * mib, 400}, {600 * mib, 0, 64}, {0, 0, 6400}} {
		if got := percent(c.live, c.roots); got != c.percent {
			t.Errorf("percent beside %d and %d: %d, want %d", c.live/mib, c.roots/mib, got, c.percent)
		}
	}
}

// With little alive, the next cycle's goal leaves the least room.
func TestPaceIsInForceAfterEachCycle(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	Pace()
	for deadline := time.Now().Add(10 * time.Second); ; {
		kept := make([]byte, 4<<20)
		_ = kept
		goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
		metrics.Read(goal)
		if goal[0].Value.Uint64() >= leastRoom {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the goal is %d bytes", goal[0].Value.Uint64())
		}
	}
}
