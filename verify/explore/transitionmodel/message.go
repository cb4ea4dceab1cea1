package transitionmodel

import (
	"errors"
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
)

// message is what may become of a command on its way.
func (m *Model) message(w World, i int, visit visitor) {
	msg := w.Wire[i]
	waits := w.waits(&msg)
	action := Action{About: &msg, Executor: -1, Awaited: waits}
	if waits >= 0 {
		action.Who = w.Processes[waits].Node
	}
	step := func(v Verb, next World, broken error) {
		action.Verb = v
		visit(action, next, broken)
	}
	lost := func(next World) World {
		if waits >= 0 {
			m.hears(&next, waits, answer{err: errUnknown})
		}
		return next
	}
	room := waits < 0 || w.late() < m.Bounds.InFlight
	step(Drop, lost(w.without(i)), nil)
	if waits >= 0 && room {
		step(GiveUp, lost(w), nil)
	}
	if !w.commits() {
		return
	}
	next := w
	a, broken := m.take(&next, &msg)
	// Who waited may be gone, with the leader.
	waits = next.waits(&msg)
	heard := next.without(i)
	if waits >= 0 {
		m.hears(&heard, waits, a)
	}
	step(Deliver, heard, broken)
	if action.Awaited >= 0 {
		step(DeliverUnheard, lost(next.without(i)), broken)
	}
	if room {
		kept := next
		kept.Wire = slices.Clone(next.Wire)
		kept.Wire[i].Applied = msg.Applied || a.err == nil && a.verdict.Action == "APPLY"
		step(DeliverAndKeep, lost(kept), broken)
	}
}

func (m *Model) hears(w *World, i int, a answer) {
	p := &w.Processes[i]
	p.Answers = append(slices.Clip(p.Answers), a)
	m.proceed(w, i)
}

// take has the root or the members take a command.
func (m *Model) take(w *World, msg *Message) (answer, error) {
	if msg.Event == nil {
		return m.change(w, msg)
	}
	if msg.Era != 0 && m.Rules.Fenced(msg.Era, w.Era) {
		return answer{err: candor.Errorf(candor.ReasonEraStale, "era %d is over", msg.Era)}, nil
	}
	v, refusal, broken := m.decide(w, msg)
	if refusal != nil {
		return answer{verdict: v, err: refusal}, broken
	}
	return answer{verdict: v}, broken
}

// change is a change of members. What its sender no longer waits for a leader may have
// taken before; the configuration that it expects decides.
func (m *Model) change(w *World, msg *Message) (answer, error) {
	c := msg.Call
	if waits := w.waits(msg); waits >= 0 && w.Processes[waits].Node != w.Leader {
		return answer{err: errNotLeader}, nil
	}
	if c.word == callTransfer {
		return m.transfer(w, c)
	}
	if !m.Rules.Changes(c.configuration, w.Configuration) {
		return answer{err: candor.Errorf(candor.ReasonEpochMismatch, "configuration %d", w.Configuration)}, nil
	}
	after, refused := c.on(w)
	if refused != nil || after == nil {
		return answer{err: asError(refused)}, nil
	}
	var broken error
	if !c.force && holds(w.Servers, c.silent) && !holds(after, c.silent) {
		broken = fmt.Errorf("%s of %s costs the quorum of those who answered", words[c.word], c.server)
	}
	before := w.Servers
	w.Servers = after
	w.Configuration++
	m.observe(w)
	if broken == nil && m.Rules.Late {
		broken = w.givenUp(before)
	}
	if w.server(w.Leader) < 0 {
		if heir := slices.IndexFunc(after, func(s Server) bool { return s.Voter && !s.Silent }); heir >= 0 {
			broken = errors.Join(broken, m.lead(w, after[heir].ID))
		}
	}
	return answer{}, broken
}

// on is who the members are after a change; nil where it changes nothing.
func (c *call) on(w *World) ([]Server, *candor.Error) {
	at := w.server(c.server)
	after := slices.Clone(w.Servers)
	switch {
	case c.word == callAdd && at >= 0 && w.Servers[at].Address == c.address:
		return nil, nil
	case c.word == callAdd && slices.ContainsFunc(w.Servers, func(s Server) bool { return s.ID != c.server && s.Address == c.address }):
		return nil, candor.Errorf(candor.ReasonMemberExists, "another is at %s", c.address)
	case c.word == callAdd && at < 0:
		after = append(after, Server{ID: c.server, Address: c.address, Behind: true})
		slices.SortFunc(after, func(a, b Server) int { return int(a.ID[0]) - int(b.ID[0]) })
	case at < 0:
		return nil, candor.Errorf(candor.ReasonNotAMember, "%s is no member", c.server)
	case c.word == callAdd:
		after[at].Address = c.address
	case c.word == callPromote && w.Servers[at].Voter:
		return nil, nil
	case c.word == callPromote && (w.Servers[at].Behind || w.Servers[at].Silent):
		return nil, candor.Errorf(candor.ReasonNotCaughtUp, "%s has not caught up", c.server)
	case c.word == callPromote:
		after[at].Voter = true
	default:
		after = slices.Delete(after, at, at+1)
	}
	return after, nil
}

// transfer makes another lead; the executor that asked ends with its leader.
func (m *Model) transfer(w *World, c *call) (answer, error) {
	at := w.server(c.server)
	switch {
	case w.Leader == c.server:
		return answer{}, nil
	case at < 0 || !w.Servers[at].Voter || w.Servers[at].Silent:
		return answer{err: candor.Errorf(candor.ReasonTimedOut, "%s did not take over", c.server)}, nil
	}
	w.Processes[0] = Process{}
	return answer{}, m.lead(w, c.server)
}

// givenUp finds a change that was given up, and that has come to be now.
func (w *World) givenUp(before []Server) error {
	was := *w
	was.Servers = before
	for i := range w.Objects {
		o := &w.Objects[i]
		if p := o.Status.Phase; p.Terminal() && !p.Succeeded() && !was.shows(&o.Plan) && w.shows(&o.Plan) {
			return fmt.Errorf("%s %s was %s, and is made afterwards", o.Plan.Kind, o.Plan.Target, p)
		}
	}
	return nil
}

// asError keeps no error from being one.
func asError(err *candor.Error) error {
	if err == nil {
		return nil
	}
	return err
}
