package replica

import (
	"io"
	"time"

	"github.com/candor-plane/candor"
)

// pacer writes at no more than rate bytes per second, in steps short enough
// that the log's writes find their turn, until stop.
type pacer struct {
	to   io.Writer
	rate int64
	stop <-chan struct{}

	began   time.Time
	written int64
}

// pacerStep is how far ahead of the rate a write may be.
const pacerStep = 10 * time.Millisecond

func (p *pacer) Write(b []byte) (int, error) {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	n, err := p.to.Write(b)
	p.written += int64(n)
	if err != nil {
		return n, err
	}
	due := time.Duration(float64(p.written) / float64(p.rate) * float64(time.Second))
	if ahead := due - time.Since(p.began); ahead > pacerStep {
		timer := time.NewTimer(ahead)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.stop:
			return n, candor.Errorf(candor.ReasonShuttingDown, "the server stops")
		}
	}
	return n, nil
}
