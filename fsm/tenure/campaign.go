package tenure

import (
	"math"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/zoo"
)

// The bounds of an era's Duration, in nanoseconds.
const (
	MinDuration = int64(10 * time.Millisecond)
	MaxDuration = int64(24 * time.Hour)
)

// Campaign asks for the era after Expect.
//
// When the era before is sealed already, Cite is its seal and Start must cover what
// it used. When it is active, and the candidate is free to take it (see
// [Lineage.Free]), the same turn seals it with all that it may have used; Start is
// then raised to that, and Cite may stay empty, for the candidate cannot know the
// bound. Either way the era's own Start is the one that counts.
type Campaign struct {
	Holder string
	// Candidacy is drawn anew for every campaign and kept for its repeats: it
	// keeps the answer to one process from reaching another of the same name.
	Candidacy string
	// Expect is the newest era that the candidate has seen; 0 for none.
	Expect uint64
	Cite   Digest
	Start  Frontiers
	// Duration is how long the era lasts after each renewal, in nanoseconds.
	Duration int64
}

func (e Campaign) apply(l Lineage, now Now) (Lineage, *candor.Error) {
	if err := l.admits(e.Holder, e.Candidacy, e.Duration); err != nil {
		return l, err
	}
	if l.won(e.Expect, e.Holder, e.Candidacy) {
		return l, nil
	}
	if err := l.expects(e.Expect); err != nil {
		return l, err
	}
	if err := l.Free(e.Holder, now); err != nil {
		return l, err
	}
	start := e.Start
	before := l.Current
	if before.State == StateActive {
		if zoo.Enabled && zoo.Has(zoo.SealBelowUsage) {
			before.Bound = before.Start
		}
		before = before.sealed(l.Duty.Name, before.Bound, SealingBound, e.Holder, now.ClusterTime)
		start = start.Max(before.Usage)
		if e.Cite.IsZero() {
			e.Cite = before.Seal
		}
	}
	if e.Cite != before.Seal {
		return l, l.uncited(e.Cite, before.Seal, before.Number)
	}
	if !start.Covers(before.Usage) {
		return l, l.uncovered(start, before.Usage, before.Number)
	}
	if err := l.reachable(start, before.Usage, now); err != nil {
		return l, err
	}
	return l.grant(now, before, e.Holder, e.Candidacy, start, e.Duration)
}

// Reattach asks, by the holder of a closed era that nobody followed, for the next:
// where that one ended, for as long.
type Reattach struct {
	Holder    string
	Candidacy string
	// Era is the closed one, Cite its seal.
	Era  uint64
	Cite Digest
}

func (e Reattach) apply(l Lineage, now Now) (Lineage, *candor.Error) {
	if err := l.Duty.MayHold(e.Holder); err != nil {
		return l, err
	}
	if err := checkCandidacy(e.Candidacy); err != nil {
		return l, err
	}
	if l.won(e.Era, e.Holder, e.Candidacy) {
		return l, nil
	}
	if err := l.expects(e.Era); err != nil {
		return l, err
	}
	before := l.Current
	if before.Number == 0 {
		return l, l.unknown(e.Era)
	}
	if before.Holder != e.Holder {
		return l, l.foreign(e.Era, e.Holder)
	}
	if before.State != StateClosed {
		return l, refused(reasonLineage, l.Duty.Name, "era %d of duty %s is %s: only a closed one is reattached; campaign instead", e.Era, l.Duty.Name, before.State)
	}
	if e.Cite != before.Seal {
		return l, l.uncited(e.Cite, before.Seal, before.Number)
	}
	before.State = StateReattached
	return l.grant(now, before, e.Holder, e.Candidacy, before.Usage, before.Duration)
}

func (l Lineage) admits(holder, candidacy string, duration int64) *candor.Error {
	if err := l.Duty.MayHold(holder); err != nil {
		return err
	}
	if err := checkCandidacy(candidacy); err != nil {
		return err
	}
	if duration < MinDuration || duration > MaxDuration {
		return refused(reasonInvalid, l.Duty.Name, "a tenure of %d ns: want between %d and %d", duration, MinDuration, MaxDuration)
	}
	return nil
}

// won says that this very campaign won the active era.
func (l Lineage) won(expect uint64, holder, candidacy string) bool {
	c := &l.Current
	return c.State == StateActive && c.Predecessor == expect && c.Holder == holder && c.Candidacy == candidacy
}

// expects is nil when the newest era is the one that a candidate has seen.
func (l Lineage) expects(era uint64) *candor.Error {
	switch {
	case era < l.Current.Number:
		return l.stale(era)
	case era > l.Current.Number:
		return l.unknown(era)
	default:
		return nil
	}
}

func (l Lineage) reachable(next, from Frontiers, now Now) *candor.Error {
	if reach := from.reach(now.ClusterTime); !reach.Covers(next) {
		return refused(reasonInvalid, l.Duty.Name, "duty %s: frontiers of %s are too far above %s: one step reaches %s", l.Duty.Name, next, from, reach)
	}
	return nil
}

// grant opens the era after before, which is sealed, closed, or none.
func (l Lineage) grant(now Now, before Era, holder, candidacy string, start Frontiers, duration int64) (Lineage, *candor.Error) {
	if before.Number == math.MaxUint64 {
		return l, refused(reasonInvalid, l.Duty.Name, "duty %s has had every era that can be counted", l.Duty.Name)
	}
	switch {
	case before.over():
		l.Finished = before
	case before.Number != 0:
		l.Unfinished = append(slices.Clone(l.Unfinished), before)
		if len(l.Unfinished) > MaxUnfinished {
			l = l.finish()
		}
	}
	if zoo.Enabled && zoo.Has(zoo.InheritNothing) {
		start = Frontiers{}
	}
	l.Current = Era{
		Number: before.Number + 1, Holder: holder, Candidacy: candidacy, Mandate: l.Duty.Mandate, State: StateActive,
		GrantedAt: now.ClusterTime, Duration: duration, RenewedUntil: later(now.ClusterTime, duration), RenewedTerm: now.Term,
		Start: start, Bound: start, Predecessor: before.Number, Lineage: before.Seal,
	}
	return l, nil
}

// finish closes the oldest unfinished era.
func (l Lineage) finish() Lineage {
	l.Finished = l.Unfinished[0]
	l.Finished.State = StateClosed
	l.Unfinished = slices.Clone(l.Unfinished[1:])
	if len(l.Unfinished) == 0 {
		l.Unfinished = nil
	}
	return l
}
