package coverage

import (
	"slices"

	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// members compares the configurations before and after an entry.
func (o *observer) members() {
	before, after := o.turn.Before.Configuration(), o.turn.After.Configuration()
	if before.Index == after.Index && len(before.Servers) == len(after.Servers) {
		return
	}
	o.seen = append(o.seen, ofMembers(before.Servers, after.Servers, func(id string) bool { return wasRemoved(o.turn.Before, id) })...)
}

// wasRemoved says whether the root remembers that a server was taken out.
func wasRemoved(v *fsm.View, id string) bool {
	for _, kind := range []transition.Kind{transition.MemberRemove, transition.MemberReplace} {
		x := v.Transition(kind, id)
		if x.Ended.Phase.Succeeded() || x.Pending.Shown != 0 {
			return true
		}
	}
	return false
}

func ofMembers(before, after []transition.Server, removed func(id string) bool) []Sight {
	var seen []Sight
	add := func(id string, from, to lifecycle.State, event string) {
		seen = append(seen, Sight{Step: lifecycle.Step{Lifecycle: lifecycle.Member, From: from, To: to, Event: event}, Of: id})
	}
	find := func(list []transition.Server, id string) (transition.Server, bool) {
		at := slices.IndexFunc(list, func(s transition.Server) bool { return s.ID == id })
		if at < 0 {
			return transition.Server{}, false
		}
		return list[at], true
	}
	for _, is := range after {
		was, member := find(before, is.ID)
		switch {
		case !member && len(before) == 0:
			add(is.ID, lifecycle.Absent, vote(is), "form")
		case !member && removed(is.ID):
			add(is.ID, lifecycle.Removed, vote(is), "add")
		case !member:
			add(is.ID, lifecycle.Absent, vote(is), "add")
		case was.Voter != is.Voter && is.Voter:
			add(is.ID, vote(was), vote(is), "promote")
		case was.Voter != is.Voter:
			add(is.ID, vote(was), vote(is), "demote")
		case was.Address != is.Address:
			add(is.ID, vote(was), vote(is), "move")
		}
	}
	for _, was := range before {
		if _, member := find(after, was.ID); !member {
			add(was.ID, vote(was), lifecycle.Removed, "remove")
		}
	}
	return seen
}

func vote(s transition.Server) lifecycle.State {
	if s.Voter {
		return lifecycle.Voter
	}
	return lifecycle.NonVoter
}

// leaders is what the first command of a leader shows.
func (o *observer) leaders() {
	if o.turn.Before.LeaderTerm() == o.turn.After.LeaderTerm() {
		return
	}
	before, after := o.turn.Before.Configuration(), o.turn.After.Configuration()
	asked := !o.turn.Before.Transition(transition.LeaderTransfer, after.Leader).Pending.IsZero()
	o.seen = append(o.seen, ofLeaders(before.Leader, after.Leader, before.Servers, asked)...)
}

// ofLeaders are the steps when one leads after another; asked: it was to be handed
// leadership.
func ofLeaders(before, after string, servers []transition.Server, asked bool) []Sight {
	var seen []Sight
	add := func(id string, from, to lifecycle.State, event string) {
		seen = append(seen, Sight{Step: lifecycle.Step{Lifecycle: lifecycle.Leadership, From: from, To: to, Event: event}, Of: id})
	}
	if before == after {
		add(after, lifecycle.Leads, lifecycle.Leads, "elect")
		return seen
	}
	member := slices.ContainsFunc(servers, func(s transition.Server) bool { return s.ID == before })
	switch {
	case before == "":
	case member || len(servers) == 0:
		add(before, lifecycle.Leads, lifecycle.Follows, "depose")
	default:
		add(before, lifecycle.Leads, lifecycle.Removed, "depose")
	}
	event := "elect"
	if asked {
		event = "transfer"
	}
	add(after, lifecycle.Follows, lifecycle.Leads, event)
	return seen
}

// access is whether access control was opened.
func (o *observer) access() {
	for epoch := o.turn.Before.AccessEpoch(); epoch < o.turn.After.AccessEpoch(); epoch++ {
		from := lifecycle.On
		if epoch == 0 {
			from = lifecycle.Off
		}
		o.add("access", lifecycle.Access, from, lifecycle.On, "open")
	}
}
