package replica

import (
	"context"
	"sync"
	"time"

	"github.com/candor-plane/candor"
)

// A server keeps the leadership that came back to it while its disk is short:
// the others may be no better off. It keeps it twice as long each time, and
// forgets after a while without.
const (
	yieldAgain   = time.Second
	yieldAtLeast = 30 * time.Second
	yieldForgets = 2 * yieldAtLeast
)

// yielding remembers how leadership was handed away for want of room.
type yielding struct {
	mu    sync.Mutex
	last  time.Time
	tries int
}

// next is whom to try now: first whoever is furthest, as "", then each voter in
// turn. It is not due too soon after the last.
func (y *yielding) next(voters []string) (target string, due bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch since := time.Since(y.last); {
	case y.tries == 0 || since > yieldForgets:
		y.tries = 0
	case since < min(yieldAgain<<min(y.tries-1, 10), yieldAtLeast):
		return "", false
	}
	if n := y.tries % (len(voters) + 1); n > 0 {
		target = voters[n-1]
	}
	y.last = time.Now()
	y.tries++
	return target, true
}

// yieldLeadership hands leadership away, if this server has it and anyone can
// take it.
func (r *Replica) yieldLeadership() {
	if r.leading.Load() == nil {
		return
	}
	var others []string
	for _, voter := range r.track.latest().Voters() {
		if string(voter.ID) != r.serverID {
			others = append(others, string(voter.ID))
		}
	}
	if len(others) == 0 {
		return
	}
	target, due := r.yields.next(others)
	if !due {
		return
	}
	r.background.start(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 4*r.settings.Election)
		defer cancel()
		if err := r.transferLeader(ctx, target); err != nil && candor.ReasonOf(err) != candor.ReasonNotLeader {
			r.logger.Warn("leadership kept under disk pressure", "error", err)
		}
	})
}
