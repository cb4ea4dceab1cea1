package tenure

import (
	"maps"
	"slices"
)

// Audit checks the chain of a duty over versions of its lineage, oldest first, as
// ReadStatus reads them: that every seal is the digest of what its era says, that
// each era cites the seal of the one before it and starts at or above its usage,
// that no two versions differ about a seal, and that at most one era was active at
// a time. Versions that are compacted may be missing at the beginning; an era that
// none of the later versions shows is a violation. A restore leaves no version of its
// own: the next one shows its era among the unfinished. It returns nil, or the first
// violation.
func Audit(versions []Lineage) *Violation {
	known := map[uint64]Era{}
	newest := uint64(0)
	for _, l := range versions {
		broken := violation(GuaranteeFinality, l)
		for _, x := range l.Eras() {
			if x.State == StateActive && x.Number != l.Current.Number {
				return violation(GuaranteePrimacy, l)(x.Number, "is active beside era %d", l.Current.Number)
			}
			if x.State != StateActive && x.Seal != x.digest(l.Duty.Name) {
				return broken(x.Number, "its seal %s is not the digest of what it says", x.Seal)
			}
			was, seen := known[x.Number]
			switch {
			case seen && x.State.order() < was.State.order():
				return broken(x.Number, "went from %s back to %s", was.State, x.State)
			case seen && !was.Seal.IsZero() && was.Seal != x.Seal:
				return broken(x.Number, "was sealed again: %s, before %s", x.Seal, was.Seal)
			case seen && (was.Holder != x.Holder || was.GrantedAt != x.GrantedAt):
				return violation(GuaranteePrimacy, l)(x.Number, "went from %s to %s", was.Holder, x.Holder)
			}
			known[x.Number] = x
		}
		if newest != 0 && !l.shows(newest+1) || l.Current.Number < newest {
			return violation(GuaranteePrimacy, l)(l.Current.Number, "follows era %d", newest)
		}
		newest = l.Current.Number
	}
	return auditChain(versions, known)
}

// shows says that the lineage keeps every era from a number on, up to the current.
func (l *Lineage) shows(from uint64) bool {
	for number := from; number < l.Current.Number; number++ {
		if l.era(number) == nil {
			return false
		}
	}
	return true
}

func auditChain(versions []Lineage, known map[uint64]Era) *Violation {
	if len(versions) == 0 {
		return nil
	}
	broken := violation(GuaranteeInheritance, versions[0])
	for _, number := range slices.Sorted(maps.Keys(known)) {
		x := known[number]
		pred, ok := known[x.Predecessor]
		switch {
		case x.Predecessor != number-1:
			return broken(number, "names era %d as its predecessor", x.Predecessor)
		case !ok:
		case pred.State == StateActive:
			return broken(number, "follows era %d, which was never sealed", pred.Number)
		case x.Lineage != pred.Seal:
			return broken(number, "cites %s, and the seal of era %d is %s", x.Lineage, pred.Number, pred.Seal)
		case !x.Start.Covers(pred.Usage):
			return broken(number, "starts at %s, below the usage %s of era %d", x.Start, pred.Usage, pred.Number)
		}
	}
	return nil
}
