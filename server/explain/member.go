package explain

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// member explains why a server is a member, and what it does.
func (e *Explainer) member(view *fsm.View, q Question) (*candor.Explanation, error) {
	s := &story{view: view, question: q, world: e.world}
	c := view.Configuration()
	id, name := e.resolve(view, &c, q.Subject.Name)
	x := &candor.Explanation{Subject: candor.VersionRef{Ref: candor.Ref{Kind: candor.SubjectMembers, Name: name}, Revision: view.Token().Revision}}
	var found *transition.Server
	voters := 0
	for i := range c.Servers {
		if c.Servers[i].Voter {
			voters++
		}
		if c.Servers[i].ID == id {
			found = &c.Servers[i]
		}
	}
	changes, led := s.changes(id)
	if found == nil {
		if len(changes) == 0 {
			return nil, &candor.Error{Reason: candor.ReasonNotAMember, Subject: q.Subject.Name, Message: "no member is called " + q.Subject.Name + ", and no change of the members that is kept was about one"}
		}
		x.Headline = "server " + name + " is no member of configuration " + number(c.Index)
	} else {
		x.Headline = "server " + name + " is a member"
		if found.Voter {
			x.Headline += " and votes, one of " + counted(voters, "voter") + " of which " + number(voters/2+1) + " must agree"
		} else {
			x.Headline += " that does not vote: it is not caught up, or was not promoted"
			x.Next = "when it is caught up and duty topology promotes it; " + s.acts(tenure.DutyTopology)
		}
		if c.Leader == id {
			x.Facts = append(x.Facts, "it leads, as far as this view knows")
		}
		x.Facts = append(x.Facts, "its ID is "+id+", its Raft address "+found.Address+"; configuration "+number(c.Index))
	}
	x.Facts = append(x.Facts, s.tenures(id)...)
	x.Facts = append(x.Facts, changes...)
	x.Because = led
	if len(changes) == 0 {
		x.Facts = append(x.Facts, "no change of the members that is kept was about it: it was there from the beginning, or the change is compacted or removed")
	}
	return x, nil
}

// resolve is a member's ID and name by either.
func (e *Explainer) resolve(view *fsm.View, c *transition.Configuration, text string) (id, name string) {
	for _, m := range view.Members() {
		if m.ServerID == text || m.Name == text {
			return m.ServerID, m.Name
		}
	}
	for _, m := range c.Servers {
		if m.ID == text || e.world.ServerName(m.ID) == text {
			if known := e.world.ServerName(m.ID); known != "" {
				return m.ID, known
			}
			return m.ID, m.ID
		}
	}
	return text, text
}

// tenures are the duties that a server holds.
func (s *story) tenures(id string) []string {
	var out []string
	for _, l := range s.view.Tenures() {
		if l.Current.State == tenure.StateActive && l.Current.Holder == string(candor.PartyServer)+"/"+id {
			out = append(out, "it holds duty "+l.Duty.Name+", era "+number(l.Current.Number))
		}
	}
	return out
}

// changes are the transitions about a server, the newest first, and the chain of the
// newest.
func (s *story) changes(id string) (facts []string, because []candor.Link) {
	var newest *mvcc.Version
	var object *candor.Object
	_ = s.view.List(candor.KindTransitions, "", "", 0, func(v *mvcc.Version) bool {
		o, err := v.Object()
		if err != nil {
			return true
		}
		plan, bad := transition.ReadSpec(o.Spec)
		if bad != nil || plan.Target != id {
			return true
		}
		status, bad := transition.ReadStatus(o.Status)
		if bad != nil {
			return true
		}
		if s.question.MayRead(candor.Ref{Kind: candor.KindTransitions, Name: o.Metadata.Name}) != nil {
			return true
		}
		facts = append(facts, "transition/"+o.Metadata.Name+" is "+string(status.Phase)+", planned by "+plan.Actor+" at revision "+number(plan.Revision))
		if newest == nil || v.Revision > newest.Revision {
			newest, object = v, o
		}
		return true
	})
	if newest == nil {
		return nil, nil
	}
	about := *s
	about.question.Subject = candor.VersionRef{Ref: candor.Ref{Kind: candor.KindTransitions, Name: object.Metadata.Name}, Revision: newest.Revision}
	return facts, about.chain(newest, object)
}
