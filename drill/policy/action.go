package policy

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// acted: the action is done once it is due, and nothing else is.
func (s *silence) acted(samples []sample) history.Report {
	after := s.detect() + s.act()
	r := property("%s: nothing is done to a silent node and what is on it", s.mode.Action)
	judge := s.spared
	switch s.mode.Action {
	case candor.ActionEvict:
		r = property("Evict: what is on silent nodes is given up after %s, within %s, not before", after, reaction)
		judge = s.evicted
	case candor.ActionCordon:
		r = property("Cordon: silent nodes are closed after %s, within %s, not before, and stay so; what is on them stays", after, reaction)
		judge = s.cordoned
	}
	first := s.before(samples)
	switch {
	case first == nil:
		r.Why = "nobody looked before"
	case s.held(first) == 0:
		r.Why = "nothing was on the silent nodes"
	default:
		judge(&r, samples, s.held(first))
	}
	return r.Conclude(1)
}

// soonest is before the action may be done.
func (s *silence) soonest() time.Time { return s.earliest().Add(s.act()) }

func (s *silence) evicted(r *history.Report, samples []sample, held int) {
	for i := range samples {
		p := &samples[i]
		if p.asked.Before(s.from) {
			continue
		}
		left := s.held(p)
		switch {
		case left < held && p.told.Before(s.soonest()):
			r.Break(func() string {
				return fmt.Sprintf("%d of %d instances were given up %s after their nodes fell silent", held-left, held, s.since(p.told))
			}, nil)
			return
		case left > 0 && p.asked.After(s.due()) && p.told.Before(s.to):
			s.late(r, "%d of %d instances are still counted as living on silent nodes after %s", left, held, s.since(p.asked))
			return
		case left == 0:
			r.Checked += held
			r.Near(int64(s.due().Sub(p.told)), "ns")
			return
		}
	}
}

func (s *silence) cordoned(r *history.Report, samples []sample, held int) {
	s.keeps(r, samples, held)
	for _, node := range s.nodes {
		closed := false
		for i := range samples {
			p := &samples[i]
			if p.asked.Before(s.from) {
				continue
			}
			switch {
			case closed && !p.closed[node]:
				r.Break(func() string {
					return fmt.Sprintf("node %s is open again after %s, and nobody opened it", node, s.since(p.told))
				}, nil)
			case !closed && p.closed[node]:
				closed = true
				r.Checked++
				r.Near(int64(s.due().Sub(p.told)), "ns")
				if p.told.Before(s.soonest()) {
					r.Break(func() string {
						return fmt.Sprintf("node %s was closed %s after it fell silent", node, s.since(p.told))
					}, nil)
				}
			case !closed && p.asked.After(s.due()) && p.told.Before(s.to):
				s.late(r, "node %s is open after %s of silence", node, s.since(p.asked))
			}
			if r.Violations > 0 {
				return
			}
		}
	}
}

// spared: nothing is done to them.
func (s *silence) spared(r *history.Report, samples []sample, held int) {
	s.keeps(r, samples, held)
	for i := range samples {
		p := &samples[i]
		if p.asked.Before(s.due()) {
			continue
		}
		r.Checked++
		for _, node := range s.nodes {
			if p.closed[node] && r.Violations == 0 {
				r.Break(func() string { return fmt.Sprintf("node %s is cordoned after %s", node, s.since(p.told)) }, nil)
			}
		}
	}
}

// keeps: no instance on them is given up.
func (s *silence) keeps(r *history.Report, samples []sample, held int) {
	for i := range samples {
		if p := &samples[i]; !p.asked.Before(s.from) && s.held(p) < held {
			r.Break(func() string {
				return fmt.Sprintf("%d of %d instances on silent nodes were given up after %s", held-s.held(p), held, s.since(p.told))
			}, nil)
			return
		}
	}
}
