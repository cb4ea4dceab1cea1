package tenure

import "slices"

// Change is how much an event changed.
type Change uint8

// The changes.
const (
	// Unchanged: the event was done already.
	Unchanged Change = iota
	// Quiet: a renewal or a reservation, which the tenure's object does not show.
	Quiet
	// Shown: an era was granted, sealed, confirmed or closed, and the object has a
	// new version.
	Shown
)

// Compare says how much changed between two lineages of a duty.
func Compare(before, after Lineage) Change {
	if before.Finished != after.Finished || !slices.Equal(before.Unfinished, after.Unfinished) || before.Duty != after.Duty {
		return Shown
	}
	if before.Current == after.Current {
		return Unchanged
	}
	x := before.Current
	x.RenewedUntil, x.RenewedTerm, x.Bound = after.Current.RenewedUntil, after.Current.RenewedTerm, after.Current.Bound
	if x != after.Current {
		return Shown
	}
	return Quiet
}

// Stage is an era that reached a state.
type Stage struct {
	Era   uint64
	State State
	// Takeover marks a seal that another than the holder made.
	Takeover bool
}

// Stages are what eras reached between two lineages of a duty, oldest era first
// and in the order of states. A turn that takes an active era over seals it and
// grants the next; one that releases an era seals and closes it.
func Stages(before, after Lineage) []Stage {
	var stages []Stage
	for i := range after.count() {
		x := after.at(i)
		reached := 0
		if was := before.era(x.Number); was != nil {
			reached = was.State.order()
		} else if x.Number <= before.Current.Number {
			continue
		}
		for _, s := range []State{StateActive, StateSealed, StateConfirmed, StateClosed, StateReattached} {
			switch {
			case s.order() <= reached || s.order() > x.State.order():
			case s == StateConfirmed && x.over() && reached < StateSealed.order():
				// Released: nobody followed who could confirm.
			default:
				stages = append(stages, Stage{Era: x.Number, State: s, Takeover: s == StateSealed && x.Sealing == SealingBound})
			}
		}
	}
	return stages
}
