package policy

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

const (
	// probing is how long it takes until a probe that is to fail was asked, and its worker
	// has looked again at how long it fails: they are asked every second.
	probing = 2 * time.Second
	// still is the longest time between two looks in which nothing stood still.
	still = time.Second
	// slotRests is for how long after its placement the slot of an instance that ended, or
	// that its worker gave up, is kept by its workload.
	slotRests = 10 * time.Second
	// shortestPause and longestPause are of a worker, between the end of a process that it
	// starts again and the start: the pause doubles.
	shortestPause, longestPause = time.Second, time.Minute
)

// ailment is one time in which processes of instances ended, or their probes failed.
type ailment struct {
	mode candor.FailureMode
	// probe: probes failed; else processes ended.
	probe bool
	// It began after from, and was gone by to.
	from, to time.Time
	// meant is how long it was to last; 0 for the end of processes.
	meant time.Duration
	// next is when another one began; zero for never.
	next time.Time
	// nth counts those before it, by each of which a worker may wait longer.
	nth int
	// alone: nothing else was done to the cluster by which it could be late.
	alone bool
	// uids are of the instances that it befell.
	uids []string
	// young is for how long from then on the slots of such of them as were made a short
	// while before may be kept.
	young time.Duration
}

func (a *ailment) detect() time.Duration { return time.Duration(a.mode.DetectWithin) }
func (a *ailment) act() time.Duration    { return time.Duration(a.mode.ActAfter) }

// short says whether it is no failure.
func (a *ailment) short() bool { return a.probe && a.meant < a.detect() }

// sure is when it had begun: as long before its end as it lasted at least.
func (a *ailment) sure() time.Time {
	if sure := a.to.Add(-a.meant); sure.After(a.from) {
		return sure
	}
	return a.to
}

// lasts says whether it still lasted then, or its consequences do.
func (a *ailment) lasts(t time.Time) bool {
	return !a.probe || t.Before(a.from.Add(a.meant)) && t.Before(a.to)
}

// soonest is before the action may be done. The end of a process is known at once.
func (a *ailment) soonest() time.Time {
	if a.probe {
		return a.from.Add(a.detect() + a.act())
	}
	return a.from.Add(a.act())
}

// due is when the action must have been done.
func (a *ailment) due() time.Time {
	due := a.sure().Add(a.detect() + a.act() + reaction)
	if a.probe {
		due = due.Add(probing)
	}
	if a.mode.Action == candor.ActionRestart {
		due = due.Add(min(shortestPause<<min(a.nth, 10), longestPause))
	}
	return due.Add(a.young)
}

// dueKnown is when the cluster must know of it.
func (a *ailment) dueKnown() time.Time {
	due := a.sure().Add(a.detect() + reaction)
	if a.probe {
		due = due.Add(probing)
	}
	return due
}

// limit is when desired must be real again. Where nothing is done that cannot be before
// the probes succeed.
func (a *ailment) limit() time.Time {
	limit := a.sure().Add(time.Duration(a.mode.RecoverWithin) + a.young)
	if well := a.to.Add(probing + reaction); a.mode.Action == candor.ActionNone && well.After(limit) {
		return well
	}
	return limit
}

func (a *ailment) since(t time.Time) time.Duration { return t.Sub(a.from).Round(10 * time.Millisecond) }

// what it was, at the beginning of a sentence of the account.
func (a *ailment) what() string {
	if a.probe {
		return "Probe"
	}
	return "Exit"
}

// late says what came too late: a violation, unless something else delayed it.
func (a *ailment) late(r *history.Report, format string, args ...any) {
	if !a.alone {
		r.Why = "other faults may have delayed it"
		return
	}
	r.Break(func() string { return fmt.Sprintf(format, args...) }, nil)
}

// within says whether all that a look saw was so in its time, before another one.
func (a *ailment) within(p *roll) bool {
	return !p.asked.Before(a.from) && (a.next.IsZero() || p.told.Before(a.next))
}

// before is the last look before it; nil where there was none, or what it befell was not
// well then.
func (a *ailment) before(rolls []roll) *roll {
	var last *roll
	for i := range rolls {
		if rolls[i].told.Before(a.from) {
			last = &rolls[i]
		}
	}
	for _, uid := range a.uids {
		if last == nil || !last.all[uid].well() {
			return nil
		}
	}
	return last
}

// passed says whether a time is over at a look, by as much as nobody could look in between:
// the machine may have stood still.
func (a *ailment) passed(due time.Time, rolls []roll, at int) bool {
	if !rolls[at].asked.After(due) {
		return false
	}
	last := a.from
	for i := range at + 1 {
		p := &rolls[i]
		if p.told.Before(a.from) {
			continue
		}
		if gap := p.told.Sub(last); gap > still {
			due = due.Add(gap)
		}
		last = p.told
	}
	return rolls[at].asked.After(due)
}

// ages finds out how young they are: they were made before they were seen first.
func (a *ailment) ages(rolls []roll) {
	if a.mode.Action != candor.ActionReplace {
		return
	}
	for _, uid := range a.uids {
		for i := range rolls {
			if _, there := rolls[i].all[uid]; there {
				a.young = max(a.young, slotRests-a.from.Sub(rolls[i].told))
				break
			}
		}
	}
}

// over says whether everything was seen that there is to see, or that it is too late.
func (a *ailment) over(rolls []roll, now time.Time) bool {
	settled := true
	for _, r := range a.verdicts(rolls) {
		settled = settled && r.Verdict != history.Inconclusive
	}
	last := a.due()
	if limit := a.limit(); limit.After(last) {
		last = limit
	}
	return settled || !a.next.IsZero() || len(rolls) > 0 && a.passed(last, rolls, len(rolls)-1) || now.After(last.Add(patience))
}

// verdicts are of one that is a failure.
func (a *ailment) verdicts(rolls []roll) []history.Report {
	return []history.Report{a.known(rolls), a.acted(rolls), a.recovered(rolls)}
}

// begins is a report, and what was before; nil for nothing that could be judged by.
func (a *ailment) begins(rolls []roll, format string, args ...any) (history.Report, *roll) {
	r := property(a.what()+": "+format, args...)
	if len(a.uids) == 0 {
		r.Why = "no instance was befallen"
		return r, nil
	}
	before := a.before(rolls)
	if before == nil {
		r.Why = "nobody saw the instances well before"
	}
	return r, before
}
