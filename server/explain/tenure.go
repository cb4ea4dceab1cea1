package explain

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
)

// mostEras is how many eras an explanation goes back.
const mostEras = 8

// tenure explains who holds a duty and how it came to that.
func (e *Explainer) tenure(s *story, x *candor.Explanation, o *candor.Object) {
	l, bad := tenure.ReadStatus(o.Status)
	if bad != nil {
		x.Headline = s.called(x.Subject.Ref) + " does not read: " + bad.Message
		return
	}
	newest := s.view.Tenure(l.Duty)
	current := l.Current
	if newest.Current.Number == current.Number && newest.Current.State == current.State {
		current = newest.Current // with its bound and its end, which make no version
	}
	x.Headline = eraHeadline(s, l.Duty, &current)
	if current.State == tenure.StateActive {
		e.renewed(s, x, &current)
	} else {
		e.vacant(s, x, &current)
	}
	x.Facts = append(x.Facts, "mandate "+string(l.Duty.Mandate)+": "+mandateText(l.Duty.Mandate))
	for i := range l.Unfinished {
		x.Facts = append(x.Facts, "the handover of era "+number(l.Unfinished[i].Number)+" is not over: it is "+string(l.Unfinished[i].State))
	}
	x.Facts = append(x.Facts, s.eras(x.Subject)...)
}

func eraHeadline(s *story, duty tenure.Duty, c *tenure.Era) string {
	switch {
	case c.Number == 0:
		return "tenure/" + duty.Name + " was never held"
	case c.State == tenure.StateActive:
		return "tenure/" + duty.Name + " is held by " + holder(s.world, c.Holder) + " in era " + number(c.Number) + ", granted " + s.ago(c.GrantedAt)
	default:
		return "tenure/" + duty.Name + " is held by nobody: era " + number(c.Number) + " of " + holder(s.world, c.Holder) + " is " + string(c.State)
	}
}

func mandateText(m tenure.Mandate) string {
	if m == tenure.MandateBelief {
		return "its holder answers out of its own memory, so that only a seal or expiry frees the duty"
	}
	return "every write names its era, and one of an era that is over is refused"
}

func (e *Explainer) renewed(s *story, x *candor.Explanation, c *tenure.Era) {
	if c.Predecessor == 0 {
		x.Facts = append(x.Facts, "era "+number(c.Number)+" has no predecessor: it goes on from "+frontiers(c.Start))
	} else {
		x.Facts = append(x.Facts, "era "+number(c.Number)+" cites the seal of era "+number(c.Predecessor)+" and goes on from "+frontiers(c.Start))
	}
	if c.RenewedUntil == 0 {
		return
	}
	left := time.Duration(c.RenewedUntil - e.world.ClusterTime())
	if left <= 0 {
		x.Facts = append(x.Facts, "it was not renewed for "+span(time.Duration(c.Duration)-left)+": anybody may seal it for its holder")
		x.Next = "when another server seals it and campaigns"
		return
	}
	x.Facts = append(x.Facts, "it is renewed for "+span(left)+" more, "+span(time.Duration(c.Duration))+" at a time")
	x.Next = "when " + holder(s.world, c.Holder) + " seals it, or does not renew it for " + span(left)
}

func (e *Explainer) vacant(s *story, x *candor.Explanation, c *tenure.Era) {
	if c.Number == 0 {
		x.Next = "when somebody campaigns for it"
		return
	}
	x.Facts = append(x.Facts, sealText(s, c))
	x.Next = "when somebody campaigns for it"
	if c.Successor != "" && c.SuccessorUntil > e.world.ClusterTime() {
		x.Next = "when " + holder(s.world, c.Successor) + " campaigns, for whom it is kept for " + span(time.Duration(c.SuccessorUntil-e.world.ClusterTime())) + " more; then anybody"
	}
}

func sealText(s *story, c *tenure.Era) string {
	text := "era " + number(c.Number) + " of " + holder(s.world, c.Holder) + " was sealed " + s.ago(c.SealedAt) + " by " + holder(s.world, c.SealedBy)
	if c.Sealing == tenure.SealingBound {
		return text + " (BOUND: with all that it may have used, " + frontiers(c.Usage) + ")"
	}
	return text + " (EXACT: its holder said what it used, " + frontiers(c.Usage) + ")"
}

func frontiers(f tenure.Frontiers) string {
	return "id " + number(f.ID) + ", timestamp " + number(f.Timestamp) + ", transition " + number(f.Transition)
}

// eras tells the history, newest first, as far as it is kept: what the newest version
// that names an era knows of it, and why the oldest granted it.
func (s *story) eras(of candor.VersionRef) []string {
	known := map[uint64]tenure.Era{}
	granted := map[uint64]*candor.Cause{}
	var order []uint64
	note := func(x *tenure.Era) {
		if _, ok := known[x.Number]; !ok && x.Number != 0 {
			known[x.Number] = *x
		}
	}
	created, reached := uint64(0), uint64(0)
	s.view.Chain(of.Ref, func(v *mvcc.Version) bool {
		if v.Revision > of.Revision {
			return true
		}
		o, err := v.Object()
		if err != nil {
			return false
		}
		l, bad := tenure.ReadStatus(o.Status)
		if bad != nil {
			return false
		}
		created, reached = o.Metadata.CreateRevision, v.Revision
		note(&l.Current)
		note(&l.Finished)
		for i := range l.Unfinished {
			note(&l.Unfinished[i])
		}
		if n := l.Current.Number; n != 0 {
			if granted[n] == nil {
				order = append(order, n)
			}
			granted[n] = o.Cause
		}
		return len(order) <= mostEras
	})
	var out []string
	for _, n := range order[:min(len(order), mostEras)] {
		c := known[n]
		text := "era " + number(n) + ": " + holder(s.world, c.Holder) + ", granted " + s.ago(c.GrantedAt)
		if c.State != tenure.StateActive {
			text += ", sealed " + s.ago(c.SealedAt) + " by " + holder(s.world, c.SealedBy) + " (" + string(c.Sealing) + ")"
		}
		if cause := granted[n]; cause != nil && cause.Message != "" {
			text += "; " + cause.Message
		}
		out = append(out, text)
	}
	if reached > created {
		out = append(out, "older versions are not shown, or are compacted (the floor is "+number(s.view.Floor())+")")
	}
	return out
}
