package tenure

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/zoo"
)

// MaxUnfinished bounds the eras whose handover is not over. Each needs a holder
// that went before it had closed the one before it; a campaign beyond the bound
// closes the oldest, whose usage every later start covers.
const MaxUnfinished = 16

// Lineage is the eras of one duty, as far as they matter still. One without a
// Current was never held; make it with New.
type Lineage struct {
	Duty Duty
	// Current is the newest era.
	Current Era
	// Unfinished are eras before it that are sealed or confirmed, oldest first.
	Unfinished []Era
	// Finished is the newest before it that is closed; zero when none is.
	Finished Era
}

// New is the lineage of a duty that nobody has held.
func New(duty Duty) Lineage { return Lineage{Duty: duty} }

// Now is what a turn knows of its moment.
type Now struct {
	// ClusterTime is in nanoseconds and never moves backward.
	ClusterTime int64
	// Term is the Raft term of the entry and Leader, as a holder, who leads it.
	Term   uint64
	Leader string
}

// Event is a step of a tenure: [Campaign], [Renew], [Reserve], [Seal], [Confirm],
// [Close], [Reattach] or [Release].
type Event interface {
	apply(l Lineage, now Now) (Lineage, *candor.Error)
}

// Apply is the lineage after an event; with an error, l itself.
func (l Lineage) Apply(now Now, event Event) (Lineage, *candor.Error) {
	after, err := event.apply(l, now)
	if err != nil {
		return l, err
	}
	return after, nil
}

// Fence is nil when a write under an era passes: while that era is active. Expiry
// alone closes no fence.
func (l Lineage) Fence(era uint64) *candor.Error {
	switch c := &l.Current; {
	case c.Number == 0:
		return refused(reasonVacant, l.Duty.Name, "duty %s has no active tenure", l.Duty.Name)
	case era == 0 || era > c.Number:
		return l.unknown(era)
	case era < c.Number || c.State != StateActive:
		return l.stale(era)
	default:
		return nil
	}
}

// Free is nil when nobody is in the way of a holder that campaigns, and otherwise
// says who is, and until when.
//
// A server may always begin anew after its own era: what it knew of that one may
// have gone with a crash. Two of a name are told apart by nothing, so a client
// waits for the end of its own era as for any other.
func (l Lineage) Free(holder string, now Now) *candor.Error {
	switch c := &l.Current; {
	case l.IsFree(holder, now):
		return nil
	case c.State == StateActive:
		return l.held(c.Holder, c.RenewedUntil, now.ClusterTime)
	default:
		return l.kept(now.ClusterTime)
	}
}

// IsFree says that nobody is in the way; see Free.
func (l Lineage) IsFree(holder string, now Now) bool {
	switch c := &l.Current; c.State {
	case StateActive:
		if zoo.Enabled && zoo.Has(zoo.GrantWhileHeld) {
			return true
		}
		deposed := l.Duty.Mandate == MandateFenced && holder == now.Leader && c.RenewedTerm < now.Term
		return c.Expired(now.ClusterTime) || deposed || holder == c.Holder && isServer(holder)
	case StateSealed:
		return c.Successor == "" || c.Successor == holder || now.ClusterTime >= c.SuccessorUntil
	default:
		return true
	}
}

// NextExpiry is the cluster time at which, if nothing happens before, anybody may
// campaign; false when anybody may already, or at no such time.
func (l Lineage) NextExpiry() (int64, bool) {
	switch c := &l.Current; {
	case c.State == StateActive:
		return c.RenewedUntil, true
	case c.State == StateSealed && c.Successor != "":
		return c.SuccessorUntil, true
	default:
		return 0, false
	}
}

// Holds says that an era is active, and the holder's.
func (l Lineage) Holds(holder string, era uint64) bool {
	return l.Current.State == StateActive && l.Current.Number == era && l.Current.Holder == holder
}

// Pending is what the holder of the active era has to do next so that every
// handover ends: a Confirm or a Close, or nil when nothing is owed or another
// holds.
func (l Lineage) Pending(holder string) Event {
	c := &l.Current
	if c.State != StateActive || c.Holder != holder || len(l.Unfinished) == 0 {
		return nil
	}
	if oldest := &l.Unfinished[0]; oldest.State == StateConfirmed {
		return Close{Era: c.Number, Holder: holder, Predecessor: oldest.Number}
	}
	oldest := &l.Unfinished[0]
	return Confirm{Era: c.Number, Holder: holder, Predecessor: oldest.Number, Cite: oldest.Seal}
}

// Eras are the current era and those before it that are still kept, oldest first.
func (l Lineage) Eras() []Era {
	eras := make([]Era, l.count())
	for i := range eras {
		eras[i] = *l.at(i)
	}
	return eras
}

// count is how many eras there are still, and at is one of them, oldest first. A turn
// looks at all of them, several times for each renewal, and makes no copy.
func (l *Lineage) count() int {
	n := len(l.Unfinished)
	if l.Finished.Number != 0 {
		n++
	}
	if l.Current.Number != 0 {
		n++
	}
	return n
}

func (l *Lineage) at(i int) *Era {
	if l.Finished.Number != 0 {
		if i == 0 {
			return &l.Finished
		}
		i--
	}
	if i < len(l.Unfinished) {
		return &l.Unfinished[i]
	}
	return &l.Current
}

// era finds one that is kept, or nil.
func (l *Lineage) era(number uint64) *Era {
	switch number {
	case 0:
		return nil
	case l.Current.Number:
		return &l.Current
	case l.Finished.Number:
		return &l.Finished
	}
	for i := range l.Unfinished {
		if l.Unfinished[i].Number == number {
			return &l.Unfinished[i]
		}
	}
	return nil
}

// acts is nil when the holder acts under the era.
func (l Lineage) acts(era uint64, holder string) *candor.Error {
	if err := l.Fence(era); err != nil {
		return err
	}
	if l.Current.Holder != holder {
		return l.foreign(era, holder)
	}
	return nil
}
