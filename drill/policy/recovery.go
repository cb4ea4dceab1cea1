package policy

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// borne: what is shorter than detectWithin is no failure.
func (a *ailment) borne(rolls []roll) history.Report {
	r, before := a.begins(rolls, "failing for %s, shorter than detectWithin (%s), has no consequence", a.meant, a.detect())
	if before == nil {
		return r.Conclude(1)
	}
	// failed and well are the instances that were seen not ready, and ready after that.
	failed, well := map[string]bool{}, map[string]bool{}
	for i := range rolls {
		p := &rolls[i]
		if !a.within(p) {
			continue
		}
		if p.asked.After(a.to) {
			r.Checked++
		}
		for _, uid := range a.uids {
			now, there := p.all[uid]
			switch {
			case there && !now.over && !now.touched(before.all[uid]):
				failed[uid] = failed[uid] || !now.ready
				well[uid] = well[uid] || failed[uid] && now.ready
			case p.told.Before(a.soonest()) || well[uid]:
				r.Break(func() string {
					return fmt.Sprintf("something was done to instance %s %s after its probe began to fail, which it did for %s", before.all[uid].name, a.since(p.told), a.meant)
				}, nil)
				return r.Conclude(1)
			default:
				r.Why = fmt.Sprintf("something was done to instance %s %s after its probe began to fail, which may have lasted longer than was meant", before.all[uid].name, a.since(p.told))
				r.Checked = 0
				return r.Conclude(1)
			}
		}
	}
	return r.Conclude(1)
}

// failing says whether a look shows that the cluster knows of it.
func failing(p *roll, uid string, before resident) bool {
	now, there := p.all[uid]
	return !there || now.over || !now.ready || now.touched(before)
}

// known: the cluster tells of each instance that it is not as it should be, in time.
func (a *ailment) known(rolls []roll) history.Report {
	r, before := a.begins(rolls, "it is known within detectWithin (%s), and %s", a.detect(), reaction)
	if before == nil {
		return r.Conclude(1)
	}
	for _, uid := range a.uids {
		for i := range rolls {
			p := &rolls[i]
			if !a.within(p) {
				continue
			}
			if failing(p, uid, before.all[uid]) {
				r.Checked++
				r.Near(int64(a.dueKnown().Sub(p.told)), "ns")
				break
			}
			if a.passed(a.dueKnown(), rolls, i) && a.lasts(p.told) {
				a.late(&r, "instance %s is ready after %s", before.all[uid].name, a.since(p.asked))
				break
			}
		}
	}
	return r.Conclude(len(a.uids))
}

// recovered: desired is real again in time.
func (a *ailment) recovered(rolls []roll) history.Report {
	limit, within := a.limit(), time.Duration(a.mode.RecoverWithin)
	format, bound := "desired is real again within recoverWithin (%s)", within
	if a.mode.Action == candor.ActionNone && limit.After(a.sure().Add(within)) {
		format, bound = "desired is real again within %s of the end of it", probing+reaction
	}
	r, before := a.begins(rolls, format, bound)
	if before == nil {
		return r.Conclude(1)
	}
	known := map[string]bool{}
	for i := range rolls {
		p := &rolls[i]
		if !a.within(p) {
			continue
		}
		for _, uid := range a.uids {
			known[uid] = known[uid] || failing(p, uid, before.all[uid])
		}
		knows := 0
		for _, uid := range a.uids {
			if known[uid] {
				knows++
			}
		}
		switch {
		case knows < len(a.uids):
		case p.real():
			r.Checked++
			r.Near(int64(limit.Sub(p.told)), "ns")
			return r.Conclude(1)
		case a.passed(limit, rolls, i):
			a.late(&r, "after %s %d of %d instances are ready", a.since(p.asked), p.ready, p.wanted)
			return r.Conclude(1)
		}
	}
	r.Why = "the drill was over before"
	if !a.next.IsZero() {
		r.Why = "another fault came before"
	}
	return r.Conclude(1)
}
