package audit

import (
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
)

// reportEvery is how often an outage that lasts, or comes and goes, is logged.
const reportEvery = time.Minute

// reporter logs about the log. A sink that blocks stops its goroutine and not the
// writer: what finds no place is dropped.
type reporter struct {
	logger hclog.Logger
	lines  chan func(hclog.Logger)
	drops  atomic.Uint64

	// Of the writer alone.
	told      time.Time // the last line about an outage; zero for never
	toldStuck time.Time
	open      bool // an outage was told of, and its end was not
}

func newReporter(logger hclog.Logger) *reporter {
	return &reporter{logger: logger, lines: make(chan func(hclog.Logger), 8)}
}

// run ends once stop is closed and what waits is logged.
func (r *reporter) run(stop <-chan struct{}) {
	for {
		select {
		case line := <-r.lines:
			line(r.logger)
		case <-stop:
			for {
				select {
				case line := <-r.lines:
					line(r.logger)
				default:
					return
				}
			}
		}
	}
}

func (r *reporter) failing(now time.Time, lost uint64, err error) {
	if !r.told.IsZero() && now.Sub(r.told) < reportEvery {
		return
	}
	r.told, r.open = now, true
	r.post(func(l hclog.Logger) { l.Error("audit records cannot be written", "lost", lost, "error", err) })
}

func (r *reporter) recovered() {
	if !r.open {
		return
	}
	r.open = false
	r.post(func(l hclog.Logger) { l.Info("audit records are written again") })
}

func (r *reporter) stuck(err error) {
	now := time.Now()
	if !r.toldStuck.IsZero() && now.Sub(r.toldStuck) < reportEvery {
		return
	}
	r.toldStuck = now
	r.post(func(l hclog.Logger) { l.Warn("an old audit file cannot be removed", "error", err) })
}

func (r *reporter) post(line func(hclog.Logger)) {
	select {
	case r.lines <- line:
	default:
		r.drops.Add(1)
	}
}
