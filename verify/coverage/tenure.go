package coverage

import (
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// duties compares the lineages before and after an entry. Where it made several turns of
// one duty, the versions of its object show what lay between.
func (o *observer) duties() {
	before := map[string]tenure.Lineage{}
	for _, l := range o.turn.Before.Tenures() {
		before[l.Duty.Name] = l
	}
	for _, after := range o.turn.After.Tenures() {
		was, ok := before[after.Duty.Name]
		if !ok {
			was = tenure.New(after.Duty)
		}
		var shown []tenure.Lineage
		for _, object := range o.shown[after.Duty.ObjectName()] {
			// What does not read was not written by a turn, and the chain ends at what the
			// root itself says.
			if l, err := tenure.ReadStatus(object.Status); err == nil {
				shown = append(shown, l)
			}
		}
		o.seen = append(o.seen, ofDuty(was, shown, after, o.was, o.now)...)
	}
}

// ofDuty are the steps of a duty and of its eras between two lineages. shown are those
// between, as objects show them: without what a renewal or a reservation sets. Times are
// cluster time.
func ofDuty(before tenure.Lineage, shown []tenure.Lineage, after tenure.Lineage, was, now int64) []Sight {
	w := &walk{duty: after.Duty.Name, at: before, state: dutyState(&before, was)}
	if later := dutyState(&before, now); later != w.state {
		w.step(lifecycle.Duty, w.state, later, "time")
		w.state = later
	}
	if len(shown) == 0 && tenure.Compare(before, after) == tenure.Shown {
		shown = []tenure.Lineage{after}
	}
	for i := range shown {
		w.shown(shown[i], now)
	}
	w.quiet(&before, &after)
	return w.seen
}

func dutyState(l *tenure.Lineage, now int64) lifecycle.State {
	switch c := &l.Current; {
	case c.Number == 0:
		return lifecycle.NeverHeld
	case c.Expired(now):
		return lifecycle.Expired
	case c.State == tenure.StateActive:
		return lifecycle.Held
	case c.State != tenure.StateSealed:
		return lifecycle.Released
	case c.Successor != "" && now < c.SuccessorUntil:
		return lifecycle.Kept
	default:
		return lifecycle.Sealed
	}
}

// walk goes from one lineage of a duty to the next.
type walk struct {
	duty  string
	at    tenure.Lineage
	state lifecycle.State
	seen  []Sight
}

func (w *walk) step(name lifecycle.Name, from, to lifecycle.State, event string) {
	w.seen = append(w.seen, Sight{Step: lifecycle.Step{Lifecycle: name, From: from, To: to, Event: event}, Of: w.duty})
}

// shown is an event that its object shows.
func (w *walk) shown(next tenure.Lineage, now int64) {
	was, is := &w.at.Current, &next.Current
	granted := was.Number != is.Number
	state := w.state
	switch {
	case is.State != tenure.StateActive:
		state = dutyState(&next, now)
	case granted:
		state = lifecycle.Held
	}
	switch {
	case granted && is.Number != was.Number+1:
		w.step(lifecycle.Duty, w.state, state, "skip")
	case granted:
		w.step(lifecycle.Duty, w.state, state, w.grant(&next))
	case state != w.state:
		w.step(lifecycle.Duty, w.state, state, leaving(state))
	}
	w.eras(&next, granted)
	w.at, w.state = next, state
}

// grant is how the next era came about.
func (w *walk) grant(next *tenure.Lineage) string {
	switch {
	case next.Finished.Number == w.at.Current.Number && next.Finished.State == tenure.StateReattached:
		return "reattach"
	case w.at.Current.State == tenure.StateActive:
		return "takeover"
	case w.state == lifecycle.Kept:
		return "succeed"
	default:
		return "campaign"
	}
}

func leaving(state lifecycle.State) string {
	switch state {
	case lifecycle.Kept:
		return "handover"
	case lifecycle.Released:
		return "release"
	default:
		return "seal"
	}
}

// eras are the steps of each era that both lineages show, and of those that are new.
func (w *walk) eras(next *tenure.Lineage, granted bool) {
	before := map[uint64]lifecycle.State{}
	for _, x := range w.at.Eras() {
		before[x.Number] = eraState(&x)
	}
	for _, x := range next.Eras() {
		from, known := before[x.Number]
		to := eraState(&x)
		switch {
		case known && from == to, !known && x.Number <= w.at.Current.Number:
		case known:
			w.step(lifecycle.Era, from, to, eraEvent(from, to, granted))
		case next.Finished.Number == x.Number-1 && next.Finished.State == tenure.StateReattached:
			w.step(lifecycle.Era, lifecycle.Absent, to, "reattach")
		default:
			w.step(lifecycle.Era, lifecycle.Absent, to, "campaign")
		}
	}
}

func eraState(x *tenure.Era) lifecycle.State {
	if x.State == tenure.StateSealed && x.Sealing == tenure.SealingBound {
		return lifecycle.EraBound
	}
	return lifecycle.State(x.State)
}

// eraEvent names what took an era on; granted: the next era began in the same turn.
func eraEvent(from, to lifecycle.State, granted bool) string {
	switch {
	case to == lifecycle.EraSealed:
		return "seal"
	case to == lifecycle.EraBound:
		return "takeover"
	case to == lifecycle.EraConfirmed:
		return "confirm"
	case to == lifecycle.EraReattached:
		return "reattach"
	case from == lifecycle.EraActive:
		return "release"
	case granted:
		return "overflow"
	default:
		return "close"
	}
}

// quiet are the renewals and reservations of an era that was active throughout.
func (w *walk) quiet(before, after *tenure.Lineage) {
	was, is := &before.Current, &after.Current
	if was.Number != is.Number || was.State != tenure.StateActive || is.State != tenure.StateActive {
		return
	}
	if was.RenewedUntil != is.RenewedUntil || was.RenewedTerm != is.RenewedTerm {
		w.step(lifecycle.Duty, w.state, lifecycle.Held, "renew")
		w.state = lifecycle.Held
	}
	if was.Bound != is.Bound {
		w.step(lifecycle.Duty, w.state, w.state, "reserve")
	}
}
