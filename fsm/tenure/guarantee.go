package tenure

import (
	"fmt"
)

// Violation is a guarantee that does not hold.
type Violation struct {
	Guarantee string
	Duty      string
	Era       uint64
	Detail    string
}

// String is the violation for people.
func (v *Violation) String() string {
	return fmt.Sprintf("%s of duty %s, era %d: %s", v.Guarantee, v.Duty, v.Era, v.Detail)
}

// The guarantees by name.
const (
	GuaranteePrimacy     = "primacy"
	GuaranteeInheritance = "inheritance"
	GuaranteeSilence     = "silence"
	GuaranteeFinality    = "finality"
)

// Check is the first guarantee of primacy, inheritance and finality that does not
// hold over a turn, or nil. They are derived from the two lineages alone.
func Check(before, after Lineage) *Violation {
	for _, guarantee := range []func(before, after Lineage) *Violation{Primacy, Inheritance, Finality} {
		if v := guarantee(before, after); v != nil {
			return v
		}
	}
	return nil
}

// Primacy is broken unless at most one era is active, which is the newest, and no
// number is granted twice or left out.
func Primacy(before, after Lineage) *Violation {
	broken := violation(GuaranteePrimacy, after)
	was, is := &before.Current, &after.Current
	for _, x := range append([]Era{after.Finished}, after.Unfinished...) {
		if x.State == StateActive {
			return broken(x.Number, "is active beside era %d", is.Number)
		}
	}
	switch {
	case is.Number == was.Number:
		if is.Holder != was.Holder || is.Candidacy != was.Candidacy || is.GrantedAt != was.GrantedAt {
			return broken(is.Number, "went from %s to %s", was.Holder, is.Holder)
		}
	case is.Number != was.Number+1:
		return broken(is.Number, "follows era %d", was.Number)
	case is.State != StateActive:
		return broken(is.Number, "was granted %s", is.State)
	}
	return nil
}

// Inheritance is broken unless a new era cites the seal of the one before it and
// starts at or above all that any era before it may have used; one that is sealed for
// its holder is sealed with its whole bound; no bound is lowered; and an era is
// confirmed only by one that covers it.
func Inheritance(before, after Lineage) *Violation {
	broken := violation(GuaranteeInheritance, after)
	is := &after.Current
	if is.Number == before.Current.Number && !is.Bound.Covers(before.Current.Bound) {
		return broken(is.Number, "its bound went from %s to %s", before.Current.Bound, is.Bound)
	}
	if !is.Bound.Covers(is.Start) {
		return broken(is.Number, "its bound %s lies below its start %s", is.Bound, is.Start)
	}
	if is.Number != before.Current.Number {
		if v := inherits(before, after); v != nil {
			return v
		}
	}
	for i := range after.count() {
		x := after.at(i)
		was := before.era(x.Number)
		switch {
		case x.State == StateActive:
		case !x.Usage.Covers(x.Start) || !x.Bound.Covers(x.Usage):
			return broken(x.Number, "its usage %s is not between start %s and bound %s", x.Usage, x.Start, x.Bound)
		case x.Sealing == SealingBound && x.Usage != x.Bound:
			return broken(x.Number, "was sealed for its holder with %s of %s", x.Usage, x.Bound)
		case x.Number != is.Number && !is.Start.Covers(x.Usage):
			return broken(is.Number, "starts at %s, below the usage %s of era %d", is.Start, x.Usage, x.Number)
		case was != nil && was.State == StateActive && !x.Bound.Covers(was.Bound):
			return broken(x.Number, "was sealed with a bound of %s, below the granted %s", x.Bound, was.Bound)
		}
	}
	return nil
}

func inherits(before, after Lineage) *Violation {
	broken := violation(GuaranteeInheritance, after)
	is := &after.Current
	if is.Predecessor != before.Current.Number {
		return broken(is.Number, "names era %d as its predecessor, not %d", is.Predecessor, before.Current.Number)
	}
	if is.Predecessor == 0 {
		if !is.Lineage.IsZero() {
			return broken(is.Number, "is the first and cites %s", is.Lineage)
		}
		return nil
	}
	pred := after.era(is.Predecessor)
	if pred == nil {
		return broken(is.Number, "its predecessor is gone")
	}
	if pred.Seal.IsZero() || is.Lineage != pred.Seal {
		return broken(is.Number, "cites %s, and the seal of era %d is %s", is.Lineage, pred.Number, pred.Seal)
	}
	return nil
}

// Silence is broken unless what was accepted under an era, in a turn that began with
// the lineage, was accepted under the active one.
func Silence(before Lineage, era uint64) *Violation {
	broken := violation(GuaranteeSilence, before)
	switch c := &before.Current; {
	case era != c.Number:
		return broken(era, "something of it was accepted while era %d was the newest", c.Number)
	case c.State != StateActive:
		return broken(era, "something of it was accepted while it was %s", c.State)
	default:
		return nil
	}
}

// Finality is broken unless eras go forward through their states, older ones are
// confirmed and closed before younger ones, what a seal says never changes, and none
// is forgotten before it is closed.
func Finality(before, after Lineage) *Violation {
	broken := violation(GuaranteeFinality, after)
	for i := range before.count() {
		was := before.at(i)
		is := after.era(was.Number)
		switch {
		case is == nil && !was.over():
			return broken(was.Number, "was %s and is forgotten", was.State)
		case is == nil:
		case is.State.order() < was.State.order():
			return broken(was.Number, "went from %s back to %s", was.State, is.State)
		case !was.Seal.IsZero() && (is.Seal != was.Seal || is.Usage != was.Usage || is.Sealing != was.Sealing):
			return broken(was.Number, "was sealed again: %s with %s, before %s with %s", is.Seal, is.Usage, was.Seal, was.Usage)
		}
	}
	newest := after.Finished.Number
	confirmed := true
	for _, x := range after.Unfinished {
		switch {
		case x.Number <= newest || x.Number >= after.Current.Number:
			return broken(x.Number, "stands between eras %d and %d", newest, after.Current.Number)
		case x.State != StateSealed && x.State != StateConfirmed:
			return broken(x.Number, "is %s among the unfinished", x.State)
		case x.State == StateConfirmed && !confirmed:
			return broken(x.Number, "was confirmed before era %d", newest)
		}
		confirmed = x.State == StateConfirmed
		newest = x.Number
	}
	for i := range after.count() {
		x := after.at(i)
		if x.State != StateActive && x.Seal != x.digest(after.Duty.Name) {
			return broken(x.Number, "its seal %s is not the digest of what it says", x.Seal)
		}
	}
	if after.Finished.Number != 0 && !after.Finished.over() {
		return broken(after.Finished.Number, "is %s among the finished", after.Finished.State)
	}
	if after.Current.over() && len(after.Unfinished) > 0 {
		return broken(after.Current.Number, "is closed before era %d", after.Unfinished[0].Number)
	}
	return nil
}

func violation(guarantee string, l Lineage) func(era uint64, format string, args ...any) *Violation {
	return func(era uint64, format string, args ...any) *Violation {
		return &Violation{Guarantee: guarantee, Duty: l.Duty.Name, Era: era, Detail: fmt.Sprintf(format, args...)}
	}
}
