package grpcapi

import (
	"testing"
	"time"

	"github.com/candor-plane/candor/fsm/command"
)

// Whatever the policy, a worker that beats as it is told to is within what its beats
// promise, and what they promise is taken.
func TestBeatsAreDueBeforeTheirPromiseIsOver(t *testing.T) {
	for within, want := range map[time.Duration]struct{ promised, interval time.Duration }{
		time.Second:      {time.Second, time.Second / 3},
		15 * time.Second: {15 * time.Second, 5 * time.Second},
		time.Hour:        {time.Hour, 20 * time.Minute},
		72 * time.Hour:   {time.Hour, 20 * time.Minute},
	} {
		l := lease(within)
		promised, interval := time.Duration(l.promised()), l.interval().AsDuration()
		if promised != want.promised || interval != want.interval || l.promised() > command.MaxPromised {
			t.Errorf("%s: %s promised, beats every %s; want %+v", within, promised, interval, want)
		}
	}
}
