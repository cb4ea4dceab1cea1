package policy

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// acted: the action is done once it is due, and nothing else is.
func (a *ailment) acted(rolls []roll) history.Report {
	after := a.act()
	if a.probe {
		after += a.detect()
	}
	when := "at once"
	if after > 0 {
		when = fmt.Sprintf("after %s", after)
	}
	var r history.Report
	var before *roll
	var judge func(*history.Report, []roll, string, resident)
	switch a.mode.Action {
	case candor.ActionRestart:
		r, before = a.begins(rolls, "Restart: the same instances are started again %s, within %s, not before", when, reaction)
		judge = a.restarted
	case candor.ActionReplace:
		r, before = a.begins(rolls, "Replace: the instances end, and others are made, %s, within %s, not before", when, reaction)
		judge = a.replaced
	default:
		r, before = a.begins(rolls, "None: nothing is done")
		judge = a.spared
	}
	if before == nil {
		return r.Conclude(1)
	}
	for _, uid := range a.uids {
		if judge(&r, rolls, uid, before.all[uid]); r.Violations > 0 {
			return r.Conclude(1)
		}
	}
	if a.others(&r, rolls, before); r.Violations > 0 {
		return r.Conclude(1)
	}
	return r.Conclude(len(a.uids))
}

func (a *ailment) breaks(r *history.Report, p *roll, was resident, what string) {
	r.Break(func() string {
		return fmt.Sprintf("instance %s %s, %s after the fault began", was.name, what, a.since(p.told))
	}, nil)
}

// restarted: the instance stays, and another process runs in it.
func (a *ailment) restarted(r *history.Report, rolls []roll, uid string, was resident) {
	done := false
	for i := range rolls {
		p := &rolls[i]
		if !a.within(p) {
			continue
		}
		now, there := p.all[uid]
		acts := now.again(was) || a.probe && now.touched(was)
		switch {
		case !there || now.over:
			a.breaks(r, p, was, "was given up")
		case acts && p.told.Before(a.soonest()):
			a.breaks(r, p, was, "was ended or started again too soon")
		case a.probe && now.restarts > was.restarts+1 && p.told.Before(a.soonest().Add(a.detect()+a.act())):
			a.breaks(r, p, was, fmt.Sprintf("was started again %d times", now.restarts-was.restarts))
		case done:
		case now.again(was):
			done = true
			r.Checked++
			r.Near(int64(a.due().Sub(p.told)), "ns")
		case a.passed(a.due(), rolls, i) && a.lasts(p.told):
			a.late(r, "instance %s has not been started again after %s", was.name, a.since(p.asked))
			return
		}
		if r.Violations > 0 {
			return
		}
	}
}

// replaced: the instance ends, no other process runs in it, and another is made for it.
func (a *ailment) replaced(r *history.Report, rolls []roll, uid string, was resident) {
	done := false
	for i := range rolls {
		p := &rolls[i]
		if !a.within(p) {
			continue
		}
		now, there := p.all[uid]
		gone := !there || now.over
		switch {
		case there && now.again(was):
			a.breaks(r, p, was, "was started again")
		case a.probe && (gone || now.touched(was)) && p.told.Before(a.soonest()):
			a.breaks(r, p, was, "was given up too soon")
		case done:
		case gone && p.living >= p.wanted:
			done = true
			r.Checked++
			r.Near(int64(a.due().Sub(p.told)), "ns")
		case a.passed(a.due(), rolls, i) && (gone || a.lasts(p.told)):
			a.late(r, "after %s instance %s is given up: %t, and %d of %d live", a.since(p.asked), was.name, gone, p.living, p.wanted)
			return
		}
		if r.Violations > 0 {
			return
		}
	}
}

// spared: nothing is done to it, also once an action would have been due.
func (a *ailment) spared(r *history.Report, rolls []roll, uid string, was resident) {
	checked := false
	for i := range rolls {
		p := &rolls[i]
		if !a.within(p) {
			continue
		}
		now, there := p.all[uid]
		if !there || now.over || now.touched(was) {
			a.breaks(r, p, was, "was given up or ended")
			return
		}
		checked = checked || p.asked.After(a.due()) || p.asked.After(a.to)
	}
	if checked {
		r.Checked++
	}
}

// others: nothing is done to instances that it did not befall. A machine that stood still
// may have had nodes given up.
func (a *ailment) others(r *history.Report, rolls []roll, before *roll) {
	for i := range rolls {
		p := &rolls[i]
		if !a.within(p) {
			continue
		}
		for uid, was := range before.all {
			if was.over || a.befell(uid) {
				continue
			}
			if now, there := p.all[uid]; there && !now.over && now.restarts <= was.restarts {
				continue
			}
			if a.alone && !a.stood(rolls[:i+1]) {
				a.breaks(r, p, was, "which the fault did not befall, was given up or started again")
				return
			}
			r.Checked, r.Why = 0, fmt.Sprintf("instance %s, which the fault did not befall, was given up or started again: other faults, or the machine, may have done it", was.name)
			return
		}
	}
}

func (a *ailment) befell(uid string) bool { return slices.Contains(a.uids, uid) }

// stood says whether nobody could look for a while.
func (a *ailment) stood(rolls []roll) bool {
	for i := 1; i < len(rolls); i++ {
		if rolls[i].told.After(a.from) && rolls[i].told.Sub(rolls[i-1].told) > still {
			return true
		}
	}
	return false
}
