package gossip

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"
)

// memberlist's Shutdown does not wait for its goroutines: a probe that is under
// way, for one, ends only with its timeout. All that it starts inherits a
// profiler label unique to one Gossip (and profiles show whose they are), so
// Close can see them end.
const goroutineLabel = "candor_gossip"

var instances atomic.Uint64

func newInstance() string { return strconv.FormatUint(instances.Add(1), 10) }

// labelled runs start so that every goroutine born in it carries the label.
func labelled(ctx context.Context, instance string, start func()) {
	pprof.Do(ctx, pprof.Labels(goroutineLabel, instance), func(context.Context) { start() })
}

// awaitGoroutines returns when no goroutine of the instance is left, or false
// when ctx ended first.
func awaitGoroutines(ctx context.Context, instance string) bool {
	mark := []byte(strconv.Quote(goroutineLabel) + ":" + strconv.Quote(instance))
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		var profile bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
			return false
		}
		if !bytes.Contains(profile.Bytes(), mark) {
			return true
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}
