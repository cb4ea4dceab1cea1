package monitor

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

// handovers: eras that were sealed are confirmed and closed, by the holder that followed.
func (l *looking) handovers() {
	for i := range l.Tenures {
		t := &l.Tenures[i]
		if len(t.Unfinished) == 0 {
			continue
		}
		oldest, subject := &t.Unfinished[0], candor.Ref{Kind: candor.KindTenures, Name: t.Duty.ObjectName()}
		c := Claim{
			Promise: HandoverEnds, Subject: subject, Step: fmt.Sprintf("%d/%s", oldest.Number, oldest.State), Within: Handover,
			Message: fmt.Sprintf("the handover of era %d of duty %s has not ended: it is %s", oldest.Number, t.Duty.Name, oldest.State),
			Owner:   t.Current.Holder, Repair: "candor tenure get " + t.Duty.Name,
		}
		switch {
		case t.Current.State != tenure.StateActive || t.Current.Expired(l.Now):
			c.Cause = "nobody holds duty " + t.Duty.Name
			c.Repair += "; start a server that may hold it (--duties)"
		default:
			c.Cause = fmt.Sprintf("the holder of era %d has not ended it", t.Current.Number)
		}
		l.claim(c)
	}
}

// transitions past their deadlines are found by whoever carries them out.
func (l *looking) transitions() {
	for i := range l.Standing {
		s := &l.Standing[i]
		l.claim(Claim{
			Promise: TransitionMoves, Subject: candor.Ref{Kind: candor.KindTransitions, Name: s.ID}, Step: s.ID, From: s.Since,
			Message: "it is past its deadline", Cause: s.Message, Owner: "duty " + s.Owner, Repair: s.Next,
		})
	}
}
