package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/verify/history"
)

// reaction is how soon a duty does what is due: the bound that the verifier keeps it to.
const reaction = 10 * time.Second

// silence is one time in which nodes were stopped.
type silence struct {
	mode     candor.FailureMode
	from, to time.Time
	// meant is how long it was to last, count of how many nodes.
	meant time.Duration
	count int
	// alone: nothing else was done to the cluster by which it could be late.
	alone bool
	// nodes are those that fell silent.
	nodes []string
}

func (s *silence) detect() time.Duration { return time.Duration(s.mode.DetectWithin) }
func (s *silence) act() time.Duration    { return time.Duration(s.mode.ActAfter) }

// earliest is before anything may come of it: the last beat came a third of detectWithin
// before the nodes were stopped, or somewhat earlier where the machine was busy.
func (s *silence) earliest() time.Time { return s.from.Add(s.detect() / 2) }

// due is when the action must have been done.
func (s *silence) due() time.Time { return s.from.Add(s.detect() + s.act() + reaction) }

// limit is when desired must be real again. Where nothing is made elsewhere that cannot be
// before the nodes are heard of again.
func (s *silence) limit() time.Time {
	limit := s.from.Add(time.Duration(s.mode.RecoverWithin))
	if heard := s.to.Add(reaction); s.mode.Action != candor.ActionEvict && heard.After(limit) {
		return heard
	}
	return limit
}

func (s *silence) since(t time.Time) time.Duration { return t.Sub(s.from).Round(10 * time.Millisecond) }

// late says what came too late: a violation, unless something else delayed it.
func (s *silence) late(r *history.Report, format string, args ...any) {
	if !s.alone {
		r.Why = "other faults may have delayed it"
		return
	}
	r.Break(func() string { return fmt.Sprintf(format, args...) }, nil)
}

func property(format string, args ...any) history.Report {
	return history.Report{Check: drill.CheckExpectations, Property: fmt.Sprintf(format, args...)}
}

// borne: what is shorter than detectWithin is no failure.
func (s *silence) borne(samples []sample) history.Report {
	r := property("a silence of %s, shorter than detectWithin (%s), has no consequence", s.meant, s.detect())
	for i := range samples {
		p := &samples[i]
		if p.asked.Before(s.from) || p.asked.After(s.to.Add(s.detect())) {
			continue
		}
		r.Checked++
		if len(p.silent) == 0 && len(p.closed) == 0 && p.real() {
			continue
		}
		if p.told.Before(s.earliest()) {
			r.Break(func() string {
				return fmt.Sprintf("%s after nodes fell silent %d are not Ready, %d are cordoned, and %d of %d instances are ready", s.since(p.told), len(p.silent), len(p.closed), p.ready, p.wanted)
			}, nil)
		} else {
			r.Why = fmt.Sprintf("%d nodes were not Ready %s after they fell silent, which may have lasted longer than was meant", len(p.silent), s.since(p.told))
		}
	}
	return r.Conclude(1)
}

// affected are the nodes that were not Ready in it.
func (s *silence) affected(samples []sample) []string {
	var all []string
	for i := range samples {
		if p := &samples[i]; !p.asked.Before(s.from) && p.told.Before(s.to) {
			for node := range p.silent {
				if !slices.Contains(all, node) {
					all = append(all, node)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// known: each node is not Ready once detectWithin is over, and not before.
func (s *silence) known(samples []sample) history.Report {
	due := s.from.Add(s.detect() + reaction)
	r := property("a silence is known after detectWithin (%s), within %s", s.detect(), reaction)
	if len(s.nodes) > s.count {
		r.Why = fmt.Sprintf("%d nodes were not Ready, and %d were stopped: the machine was too busy", len(s.nodes), s.count)
	}
	for _, node := range s.nodes {
		r.Checked++
		for i := range samples {
			if p := &samples[i]; !p.asked.Before(s.from) && p.silent[node] {
				if p.told.Before(s.earliest()) {
					r.Break(func() string {
						return fmt.Sprintf("node %s is not Ready %s after it fell silent", node, s.since(p.told))
					}, nil)
				}
				r.Near(int64(due.Sub(p.told)), "ns")
				break
			}
		}
	}
	for i := range samples {
		if p := &samples[i]; p.asked.After(due) && p.told.Before(s.to) && len(p.silent) < s.count {
			s.late(&r, "%d of %d silent nodes are Ready after %s", s.count-len(p.silent), s.count, s.since(p.asked))
			break
		}
	}
	return r.Conclude(s.count)
}

// held counts the instances on the silent nodes.
func (s *silence) held(p *sample) int {
	sum := 0
	for _, node := range s.nodes {
		sum += p.on[node]
	}
	return sum
}

// before is the last look before it; nil where there was none.
func (s *silence) before(samples []sample) *sample {
	var last *sample
	for i := range samples {
		if samples[i].told.Before(s.from) {
			last = &samples[i]
		}
	}
	return last
}

// over says whether it was seen that desired is real again, or that it is too late.
func (s *silence) over(samples []sample) bool {
	unreal, again := s.gap(samples)
	return unreal != nil && again != nil || len(samples) > 0 && samples[len(samples)-1].asked.After(s.limit()) || time.Now().After(s.limit().Add(patience))
}

// gap is the first look at which desired was not real any more, and the first at which it
// was again; nil for none.
func (s *silence) gap(samples []sample) (unreal, again *sample) {
	for i := range samples {
		p := &samples[i]
		switch {
		case p.asked.Before(s.from):
		case unreal == nil && !p.real():
			unreal = p
		case unreal != nil && p.real():
			return unreal, p
		}
	}
	return unreal, nil
}

// recovered: desired is real again in time.
func (s *silence) recovered(samples []sample) history.Report {
	limit, within := s.limit(), time.Duration(s.mode.RecoverWithin)
	r := property("desired is real again within recoverWithin (%s)", within)
	if limit.After(s.from.Add(within)) {
		r = property("desired is real again within %s of the nodes' being heard of", reaction)
	}
	unreal, again := s.gap(samples)
	if unreal == nil {
		r.Why = "it was real all the time: nothing was on the silent nodes"
		return r.Conclude(1)
	}
	for i := range samples {
		p := &samples[i]
		if p.asked.After(limit) && (again == nil || p.asked.Before(again.asked)) {
			s.late(&r, "after %s %d of %d instances are ready", s.since(p.asked), p.ready, p.wanted)
			return r.Conclude(1)
		}
	}
	if again == nil {
		r.Why = "the drill was over before"
		return r.Conclude(1)
	}
	r.Checked++
	r.Near(int64(limit.Sub(again.told)), "ns")
	return r.Conclude(1)
}
