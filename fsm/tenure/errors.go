package tenure

import (
	"time"

	"github.com/candor-plane/candor"
)

// The reasons of this package, each in one place.
const (
	// reasonHeld: another holds the duty, or has the first right to it, for now.
	reasonHeld = candor.ReasonTenureHeld
	// reasonStale: the era that the event is about is over, or was when it was sent.
	reasonStale = candor.ReasonEraStale
	// reasonLineage: the event does not follow from what it says it follows.
	reasonLineage = candor.ReasonLineageMismatch
	// reasonVacant: nobody holds the duty, and never did.
	reasonVacant = candor.ReasonSchedulerDegraded
	// reasonUnknown: the era was never granted.
	reasonUnknown = candor.ReasonNotFound

	reasonInvalid   = candor.ReasonInvalid
	reasonForbidden = candor.ReasonForbidden
)

func refused(reason candor.Reason, duty, format string, args ...any) *candor.Error {
	err := candor.Errorf(reason, format, args...)
	err.Subject = duty
	return err
}

// held says who has the duty, in which era, and when that ends unless it is
// renewed.
func (l Lineage) held(by string, until, now int64) *candor.Error {
	err := refused(reasonHeld, l.Duty.Name, "duty %s is %s's, in era %d, until cluster time %d unless it is renewed; it is %d now",
		l.Duty.Name, by, l.Current.Number, until, now)
	err.RetryAfter = time.Duration(max(until-now, 0))
	return err
}

// kept says for whom a sealed duty is kept.
func (l Lineage) kept(now int64) *candor.Error {
	c := &l.Current
	err := refused(reasonHeld, l.Duty.Name, "duty %s was handed over to %s when era %d was sealed, and is kept for it until cluster time %d; it is %d now",
		l.Duty.Name, c.Successor, c.Number, c.SuccessorUntil, now)
	err.RetryAfter = time.Duration(max(c.SuccessorUntil-now, 0))
	return err
}

func (l Lineage) stale(era uint64) *candor.Error {
	c := &l.Current
	if era == c.Number {
		return refused(reasonStale, l.Duty.Name, "era %d of duty %s is %s: stop acting under it, and campaign for the next", era, l.Duty.Name, c.State)
	}
	return refused(reasonStale, l.Duty.Name, "era %d of duty %s is over: the newest is %d, of %s; read the tenure again", era, l.Duty.Name, c.Number, c.Holder)
}

func (l Lineage) unknown(era uint64) *candor.Error {
	return refused(reasonUnknown, l.Duty.Name, "era %d of duty %s was never granted: the newest is %d", era, l.Duty.Name, l.Current.Number)
}

func (l Lineage) foreign(era uint64, holder string) *candor.Error {
	return refused(reasonForbidden, l.Duty.Name, "era %d of duty %s is not %s's", era, l.Duty.Name, holder)
}

func (l Lineage) uncovered(start, usage Frontiers, predecessor uint64) *candor.Error {
	return refused(reasonLineage, l.Duty.Name, "duty %s: a start of %s lies below %s, which era %d may have used: read the tenure again and start there",
		l.Duty.Name, start, usage, predecessor)
}

func (l Lineage) uncited(cite, seal Digest, predecessor uint64) *candor.Error {
	return refused(reasonLineage, l.Duty.Name, "duty %s: %s was cited as the seal of era %d, which is %s: read the tenure again",
		l.Duty.Name, cite, predecessor, seal)
}
