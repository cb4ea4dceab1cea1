package limit

import "time"

// pace is how fast a class takes in those who wait, by the last few times.
type pace struct {
	last  time.Time
	every time.Duration
	known bool
}

// pause is that nobody waits any more: the time until the next says nothing.
func (p *pace) pause() { p.last = time.Time{} }

func (p *pace) tick(now time.Time) {
	last := p.last
	p.last = now
	if last.IsZero() {
		return
	}
	gap := now.Sub(last)
	if !p.known {
		p.every, p.known = gap, true
		return
	}
	p.every += (gap - p.every) / 8
}

// after is how long the given number of requests takes to get in; 0 if that was
// never seen.
func (p *pace) after(requests int) time.Duration { return p.every * time.Duration(requests) }
