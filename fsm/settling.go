package fsm

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
)

// settlePage is how many ends one turn writes for others.
const settlePage = 100

// settle ends what the root itself shows to have happened, and what another history
// planned: in the root's own name, with the executor asleep or gone. leader is who
// leads with the turn; own is the entry that the turn is about.
func (d *draft) settle(own, leader string) *candor.Error {
	s := d.m.state
	page := 0
	for _, before := range s.pendingMembership() {
		x := s.observed(before, s.membersUnder(leader), d.env.index)
		switch {
		case x.key() == own, x.Pending.Shown == 0 && !x.Void:
		case page == settlePage:
			d.move(before, x)
		default:
			page++
			if err := d.settleOne(x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *draft) settleOne(x TransitionEntry) *candor.Error {
	event := &transition.Event{Type: transition.EventTerminal, Kind: x.Kind, Target: x.Target, Intent: x.Pending.Intent, Planned: x.Pending.Planned, Phase: transition.PhasePublished}
	why := "SHOWN"
	report := transition.Journal{Outcome: transition.OutcomeApplied, Message: sprintf("log entry %d shows that it has happened", x.Pending.Shown)}
	if x.Pending.Shown == 0 {
		why = "RESTORED"
		event.Phase = transition.PhaseAborted
		report = transition.Journal{Reason: candor.ReasonHistoryMismatch, Message: "a new history of the cluster began after it was planned, with other members"}
	}
	after, v := transition.Publish(transition.Facts{Entry: x.Entry}, event, d.revision())
	if v.Action != transition.ActionApply {
		return v.Err()
	}
	if err := d.end(x.Pending, v, event, report); err != nil {
		return err
	}
	written := d.changes[len(d.changes)-1].After
	written.Cause = &candor.Cause{Actor: candor.ActorSystem, Reason: why, Message: report.Message, PriorRevision: written.Cause.PriorRevision}
	next := x
	next.Entry = after
	d.move(x, next)
	return nil
}
