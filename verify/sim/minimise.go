package sim

import "context"

// Minimised is a failing schedule of which no choice can be left out.
type Minimised struct {
	Schedule Schedule
	Result   Result
	// Runs is how many it took. Least says that every single choice was tried; it is
	// not where the context ended first.
	Runs  int
	Least bool
}

// Minimise leaves out choices, work and faults alike, as long as the same check fails:
// ever smaller groups of them, down to each alone (delta debugging). The schedule must
// fail; one that passes is returned as it is.
func Minimise(ctx context.Context, s Schedule, o Options) Minimised {
	o.Log = nil
	m := &minimiser{options: o, best: Minimised{Schedule: s, Result: s.Run(o), Runs: 1}}
	if m.best.Result.Failure == nil {
		return m.best
	}
	// What comes after the failure is not needed, mostly.
	m.try(func(c *Choice, _ int) bool { return c.Number <= m.best.Result.Failure.Choice })
	for size := max(1, len(m.best.Schedule.Choices)/2); ; {
		before := len(m.best.Schedule.Choices)
		for from := 0; from < len(m.best.Schedule.Choices) && ctx.Err() == nil; {
			if !m.try(func(_ *Choice, at int) bool { return at < from || at >= from+size }) {
				from += size
			}
		}
		switch {
		case ctx.Err() != nil:
			return m.best
		case size > 1:
			size /= 2
		case before == len(m.best.Schedule.Choices):
			m.best.Least = true
			return m.best
		}
	}
}

type minimiser struct {
	options Options
	best    Minimised
}

// try takes a shorter schedule if it fails like the one that there is.
func (m *minimiser) try(keep func(c *Choice, at int) bool) bool {
	shorter := m.best.Schedule
	shorter.Choices = nil
	for i := range m.best.Schedule.Choices {
		if c := &m.best.Schedule.Choices[i]; keep(c, i) {
			shorter.Choices = append(shorter.Choices, *c)
		}
	}
	if len(shorter.Choices) == len(m.best.Schedule.Choices) {
		return false
	}
	m.best.Runs++
	result := shorter.Run(m.options)
	if result.Failure == nil || result.Failure.Check != m.best.Result.Failure.Check {
		return false
	}
	m.best.Schedule, m.best.Result = shorter, result
	return true
}
