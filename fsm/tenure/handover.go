package tenure

import (
	"slices"

	"github.com/candor-plane/candor"
)

// Seal ends the active era by its holder, who has stopped using it before and says
// how far it came.
type Seal struct {
	Era    uint64
	Holder string
	Usage  Frontiers
	// To, when not empty, is the only one that may campaign for the next era until
	// the Duration of this one has passed.
	To string
}

func (e Seal) apply(l Lineage, now Now) (Lineage, *candor.Error) {
	if e.To != "" {
		if err := l.Duty.MayHold(e.To); err != nil {
			return l, err
		}
	}
	if x := l.era(e.Era); x != nil && x.State != StateActive && x.sealedExactly(e.Holder, e.Usage) && x.Successor == e.To {
		return l, nil
	}
	if err := l.seals(e.Era, e.Holder, e.Usage); err != nil {
		return l, err
	}
	l.Current = l.Current.sealed(l.Duty.Name, e.Usage, SealingExact, e.Holder, now.ClusterTime)
	if e.To != "" {
		l.Current.Successor = e.To
		l.Current.SuccessorUntil = later(now.ClusterTime, l.Current.Duration)
	}
	return l, nil
}

// Release seals the active era and closes it, with nobody to follow. Handovers to
// it must be over.
type Release struct {
	Era    uint64
	Holder string
	Usage  Frontiers
}

func (e Release) apply(l Lineage, now Now) (Lineage, *candor.Error) {
	if x := l.era(e.Era); x != nil && x.over() && x.sealedExactly(e.Holder, e.Usage) {
		return l, nil
	}
	if err := l.seals(e.Era, e.Holder, e.Usage); err != nil {
		return l, err
	}
	if len(l.Unfinished) > 0 {
		oldest := &l.Unfinished[0]
		return l, refused(reasonLineage, l.Duty.Name, "duty %s: era %d is %s and not closed: confirm and close it before era %d is released, or seal era %d instead",
			l.Duty.Name, oldest.Number, oldest.State, e.Era, e.Era)
	}
	l.Current = l.Current.sealed(l.Duty.Name, e.Usage, SealingExact, e.Holder, now.ClusterTime)
	l.Current.State = StateClosed
	return l, nil
}

// Confirm says, by the holder of the active era, that it covers all that a sealed
// one before it used, whose seal it cites. The oldest comes first.
type Confirm struct {
	Era         uint64
	Holder      string
	Predecessor uint64
	Cite        Digest
}

func (e Confirm) apply(l Lineage, _ Now) (Lineage, *candor.Error) {
	at, err := l.unfinished(e.Era, e.Holder, e.Predecessor)
	if err != nil || at < 0 {
		return l, err
	}
	x := &l.Unfinished[at]
	if e.Cite != x.Seal {
		return l, l.uncited(e.Cite, x.Seal, x.Number)
	}
	if x.State == StateConfirmed {
		return l, nil
	}
	if at > 0 && l.Unfinished[at-1].State != StateConfirmed {
		return l, refused(reasonLineage, l.Duty.Name, "duty %s: era %d is not confirmed: confirm it before era %d", l.Duty.Name, l.Unfinished[at-1].Number, x.Number)
	}
	if !l.Current.Start.Covers(x.Usage) {
		return l, l.uncovered(l.Current.Start, x.Usage, x.Number)
	}
	l.Unfinished = slices.Clone(l.Unfinished)
	l.Unfinished[at].State = StateConfirmed
	return l, nil
}

// Close ends the handover of a confirmed era, by the holder of the active one. The
// oldest comes first.
type Close struct {
	Era         uint64
	Holder      string
	Predecessor uint64
}

func (e Close) apply(l Lineage, _ Now) (Lineage, *candor.Error) {
	at, err := l.unfinished(e.Era, e.Holder, e.Predecessor)
	if err != nil || at < 0 {
		return l, err
	}
	if x := &l.Unfinished[at]; x.State != StateConfirmed {
		return l, refused(reasonLineage, l.Duty.Name, "duty %s: era %d is not confirmed: confirm it before it is closed", l.Duty.Name, x.Number)
	}
	if at > 0 {
		return l, refused(reasonLineage, l.Duty.Name, "duty %s: era %d is not closed: close it before era %d", l.Duty.Name, l.Unfinished[0].Number, e.Predecessor)
	}
	return l.finish(), nil
}

// seals is nil when the holder may seal the active era with that usage.
func (l Lineage) seals(era uint64, holder string, usage Frontiers) *candor.Error {
	if err := l.acts(era, holder); err != nil {
		return err
	}
	if c := &l.Current; !usage.Covers(c.Start) || !c.Bound.Covers(usage) {
		return refused(reasonInvalid, l.Duty.Name, "duty %s: a usage of %s is not between the start of era %d, %s, and its bound, %s", l.Duty.Name, usage, era, c.Start, c.Bound)
	}
	return nil
}

// unfinished finds an era that the holder of the active one is to confirm or
// close; below 0 for one that is closed already.
func (l Lineage) unfinished(era uint64, holder string, predecessor uint64) (int, *candor.Error) {
	if err := l.acts(era, holder); err != nil {
		return 0, err
	}
	if predecessor == 0 || predecessor >= era {
		return 0, refused(reasonInvalid, l.Duty.Name, "duty %s: era %d is none before era %d", l.Duty.Name, predecessor, era)
	}
	return slices.IndexFunc(l.Unfinished, func(x Era) bool { return x.Number == predecessor }), nil
}

// sealedExactly says that its own holder sealed the era with that usage.
func (e *Era) sealedExactly(holder string, usage Frontiers) bool {
	return e.Holder == holder && e.Sealing == SealingExact && e.Usage == usage
}
