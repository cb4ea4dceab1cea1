package command

import (
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/wire"
)

// TenureVerb is what an event does to a duty's tenure.
type TenureVerb uint8

// The tenure verbs. The numbers are in logs.
const (
	TenureCampaign TenureVerb = 1
	TenureRenew    TenureVerb = 2
	TenureReserve  TenureVerb = 3
	TenureSeal     TenureVerb = 4
	TenureConfirm  TenureVerb = 5
	TenureClose    TenureVerb = 6
	TenureReattach TenureVerb = 7
	TenureRelease  TenureVerb = 8
)

// String names the verb for causes and logs.
func (v TenureVerb) String() string {
	names := [...]string{"unknown", "campaign", "renew", "reserve", "seal", "confirm", "close", "reattach", "release"}
	if int(v) < len(names) {
		return names[v]
	}
	return names[0]
}

// Word names the verb in the reasons of causes.
func (v TenureVerb) Word() string { return strings.ToUpper(v.String()) }

// TenureEvent is one event of fsm/tenure in a flat form. Which fields count depends
// on Verb; the duty, the era and the holder are the command's.
type TenureEvent struct {
	Verb        TenureVerb
	Candidacy   string
	Predecessor uint64
	Cite        tenure.Digest
	// Frontiers are a campaign's start, a reservation's bound, a seal's usage.
	Frontiers tenure.Frontiers
	Duration  int64
	To        string
}

// Tenure puts an event of a duty into a command of the holder's.
func Tenure(duty, holder string, event tenure.Event) *Command {
	c := &Command{Type: TypeTenure, Actor: candor.ActorSystem, Duty: duty, Holder: holder}
	e := &c.Tenure
	switch x := event.(type) {
	case tenure.Campaign:
		e.Verb, c.Era, e.Candidacy, e.Cite, e.Frontiers, e.Duration = TenureCampaign, x.Expect, x.Candidacy, x.Cite, x.Start, x.Duration
	case tenure.Renew:
		e.Verb, c.Era = TenureRenew, x.Era
	case tenure.Reserve:
		e.Verb, c.Era, e.Frontiers = TenureReserve, x.Era, x.Bound
	case tenure.Seal:
		e.Verb, c.Era, e.Frontiers, e.To = TenureSeal, x.Era, x.Usage, x.To
	case tenure.Confirm:
		e.Verb, c.Era, e.Predecessor, e.Cite = TenureConfirm, x.Era, x.Predecessor, x.Cite
	case tenure.Close:
		e.Verb, c.Era, e.Predecessor = TenureClose, x.Era, x.Predecessor
	case tenure.Reattach:
		e.Verb, c.Era, e.Candidacy, e.Cite = TenureReattach, x.Era, x.Candidacy, x.Cite
	case tenure.Release:
		e.Verb, c.Era, e.Frontiers = TenureRelease, x.Era, x.Usage
	}
	return c
}

// TenureEvent is the event that the command carries, with strings of its own; nil
// for a verb that this build does not know.
func (c *Command) TenureEvent() tenure.Event {
	e := &c.Tenure
	holder, candidacy := strings.Clone(c.Holder), strings.Clone(e.Candidacy)
	switch e.Verb {
	case TenureCampaign:
		return tenure.Campaign{Holder: holder, Candidacy: candidacy, Expect: c.Era, Cite: e.Cite, Start: e.Frontiers, Duration: e.Duration}
	case TenureRenew:
		return tenure.Renew{Era: c.Era, Holder: holder}
	case TenureReserve:
		return tenure.Reserve{Era: c.Era, Holder: holder, Bound: e.Frontiers}
	case TenureSeal:
		return tenure.Seal{Era: c.Era, Holder: holder, Usage: e.Frontiers, To: strings.Clone(e.To)}
	case TenureConfirm:
		return tenure.Confirm{Era: c.Era, Holder: holder, Predecessor: e.Predecessor, Cite: e.Cite}
	case TenureClose:
		return tenure.Close{Era: c.Era, Holder: holder, Predecessor: e.Predecessor}
	case TenureReattach:
		return tenure.Reattach{Holder: holder, Candidacy: candidacy, Era: c.Era, Cite: e.Cite}
	case TenureRelease:
		return tenure.Release{Era: c.Era, Holder: holder, Usage: e.Frontiers}
	default:
		return nil
	}
}

func appendTenure(b []byte, e *TenureEvent) []byte {
	b = wire.AppendUint(b, 1, uint64(e.Verb))
	b = wire.AppendString(b, 2, e.Candidacy)
	b = wire.AppendUint(b, 3, e.Predecessor)
	if !e.Cite.IsZero() {
		b = wire.AppendBytes(b, 4, e.Cite[:])
	}
	b = wire.AppendUint(b, 5, e.Frontiers.ID)
	b = wire.AppendUint(b, 6, e.Frontiers.Timestamp)
	b = wire.AppendUint(b, 7, e.Frontiers.Transition)
	b = wire.AppendInt(b, 8, e.Duration)
	return wire.AppendString(b, 9, e.To)
}

func readTenure(outer *wire.Reader) TenureEvent {
	var e TenureEvent
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			e.Verb = TenureVerb(r.Uint())
		case 2:
			e.Candidacy = r.String()
		case 3:
			e.Predecessor = r.Uint()
		case 4:
			if p := r.Bytes(); len(p) == len(e.Cite) {
				e.Cite = tenure.Digest(p)
			} else {
				outer.Fail()
			}
		case 5:
			e.Frontiers.ID = r.Uint()
		case 6:
			e.Frontiers.Timestamp = r.Uint()
		case 7:
			e.Frontiers.Transition = r.Uint()
		case 8:
			e.Duration = r.Int()
		case 9:
			e.To = r.String()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return e
}
