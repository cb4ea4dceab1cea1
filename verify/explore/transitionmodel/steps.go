package transitionmodel

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/fsm/transition"
)

// Model is one to explore.
type Model struct {
	Bounds Bounds
	Rules  Rules

	// known is what executors asked for that had heard the same; a model is one
	// goroutine's.
	known   map[string]*call
	scratch []byte
}

// visitor takes one step.
type visitor = func(Action, World, error)

// Initial is a cluster whose executor has nothing to do.
func (m *Model) Initial() World {
	b := &m.Bounds
	w := World{Revision: 1, Configuration: 1, Leader: b.Voters[0], Era: 1}
	for _, id := range b.Voters {
		w.Servers = append(w.Servers, Server{ID: id, Address: "at-" + id, Voter: true, Silent: slices.Contains(b.Silent, id)})
	}
	w.Processes[0] = Process{Era: 1, Node: w.Leader}
	return w
}

// Steps visits everything that may happen next.
func (m *Model) Steps(w World, visit func(Action, World, error)) {
	for i := range m.Bounds.Requests {
		m.ask(w, i, visit)
	}
	for i := range w.Processes {
		m.look(w, i, visit)
	}
	m.eras(w, visit)
	m.servers(w, visit)
	if m.Bounds.Supersedes {
		m.supersede(w, visit)
	}
	for i := range w.Wire {
		m.message(w, i, visit)
	}
}

// late counts the commands that nobody waits for.
func (w *World) late() int {
	n := 0
	for i := range w.Wire {
		if w.waits(&w.Wire[i]) < 0 {
			n++
		}
	}
	return n
}

// ask is an operator's request, which is not made where it could not be carried out.
func (m *Model) ask(w World, i int, visit visitor) {
	r := &m.Bounds.Requests[i]
	if w.Asked&(1<<i) != 0 || w.late() >= m.Bounds.InFlight || !w.commits() {
		return
	}
	w.Asked |= 1 << i
	if r.Cancels != 0 {
		if w.Asked&(1<<(r.Cancels-1)) != 0 {
			m.cancel(w, i, visit)
		}
		return
	}
	proposal, refused := topology.Plan(r.Change, w.survey(), r.Force)
	if refused != nil || len(proposal.Steps) == 0 {
		return
	}
	ch := &proposal.Change
	p := &transition.Plan{
		Kind: transition.Kind(ch.Kind), Target: ch.Server, Source: candor.Token{Term: 1, Index: w.Revision, Revision: w.Revision},
		Intent:   transition.Membership{Address: ch.Address, With: ch.With, Nonvoter: ch.Nonvoter, Force: r.Force}.Intent(),
		Deadline: deadline, Configuration: w.Configuration, Retry: retryOf(ch.Kind), Actor: "operator", Reason: "REQUESTED",
	}
	msg := Message{Request: i + 1, Plan: p, Event: &transition.Event{Type: transition.EventPlan, Kind: p.Kind, Target: p.Target, Intent: p.Digest(), Source: p.Source.Revision}}
	visit(Action{Verb: Ask, About: &msg, Executor: -1, Awaited: -1}, w.sent(msg), nil)
}

// retryOf is what package server plans with.
func retryOf(kind topology.Kind) candor.RetryClass {
	switch kind {
	case topology.Add, topology.Promote, topology.Replace:
		return candor.RetryLater
	default:
		return candor.RetryNever
	}
}

// cancel gives up what pends of another request.
func (m *Model) cancel(w World, i int, visit visitor) {
	r := &m.Bounds.Requests[i]
	of := &m.Bounds.Requests[r.Cancels-1].Change
	at := w.slot(transition.Kind(of.Kind), of.Server)
	if at < 0 || w.Slots[at].Pending.IsZero() {
		return
	}
	p := w.Slots[at].Pending
	e := &transition.Event{Type: transition.EventCancel, Kind: w.Slots[at].Kind, Target: of.Server, Intent: p.Intent, Planned: p.Planned}
	msg := Message{Request: i + 1, Event: e, Means: p.ID}
	if r.Assessed {
		e.Planned, e.Expect = 0, w.Revision
		if transition.Assess(m.facts(&w, &msg), e).Action != transition.ActionApply {
			return
		}
	}
	visit(Action{Verb: Ask, About: &msg, Executor: -1, Awaited: -1}, w.sent(msg), nil)
}

// look begins a round of an executor.
func (m *Model) look(w World, i int, visit visitor) {
	p := &w.Processes[i]
	if p.Era == 0 || p.Call != nil || !w.pends() {
		return
	}
	p.Seen, p.Answers = w.seen(&m.Rules), nil
	node := p.Node
	sent := m.proceed(&w, i)
	visit(Action{Verb: Look, Who: node, About: sent, Executor: i, Awaited: -1}, w, nil)
}

// proceed lets an executor go on until it waits for a command or its round is over. It
// looks at the members at once.
func (m *Model) proceed(w *World, i int) *Message {
	p := &w.Processes[i]
	p.Call = nil
	for {
		c := m.resume(p)
		switch {
		case c == nil:
			p.Seen, p.Answers = topology.Seen{}, nil
			return nil
		case c.word == callConfiguration:
			a := answer{members: w.survey()}
			if p.Node != w.Leader {
				a = answer{err: errNotLeader}
			} else if !w.commits() {
				a = answer{err: candor.Errorf(candor.ReasonLeadershipUnconfirmed, "no majority")}
			}
			p.Answers = append(slices.Clip(p.Answers), a)
		default:
			p.Call = c
			msg := m.sending(p, c)
			*w = w.sent(msg)
			return &msg
		}
	}
}

// sending is a call on its way.
func (m *Model) sending(p *Process, c *call) Message {
	msg := Message{Era: p.Era, Call: c}
	plan := &c.plan
	switch c.word {
	case callPlan:
		msg.Plan = plan
		msg.Event = &transition.Event{Type: transition.EventPlan, Kind: plan.Kind, Target: plan.Target, Intent: plan.Digest(), Source: plan.Source.Revision}
	case callEnd:
		msg.Means = m.Rules.ID(plan.Kind, plan.Target, plan.Revision)
		msg.Event = &transition.Event{Type: transition.EventTerminal, Kind: plan.Kind, Target: plan.Target, Intent: plan.Digest(), Planned: plan.Revision, Phase: c.phase}
	default:
		for _, a := range p.Answers {
			if len(a.members.Servers) == 0 {
				continue
			}
			c.silent = []string{}
			for _, s := range a.members.Servers {
				if !s.Answers {
					c.silent = append(c.silent, s.ID)
				}
			}
		}
	}
	return msg
}

// eras is how executors come and go.
func (m *Model) eras(w World, visit visitor) {
	next := func(w World) World {
		w.Era++
		w.Processes[0] = Process{Era: w.Era, Node: w.Leader}
		return w
	}
	if !w.alive() {
		visit(Action{Verb: Begin, Who: w.Leader, Executor: 0, Awaited: -1}, next(w), nil)
	}
	if w.NewEras >= m.Bounds.Eras {
		return
	}
	w.NewEras++
	if w.alive() {
		crashed := w
		crashed.Processes[0] = Process{}
		visit(Action{Verb: Crash, Who: w.Processes[0].Node, Executor: 0, Awaited: -1}, crashed, nil)
		taken := w
		taken.Processes[1] = w.Processes[0]
		visit(Action{Verb: Takeover, Who: w.Leader, Executor: 0, Awaited: -1}, next(taken), nil)
	}
	for _, s := range w.Servers {
		if m.Bounds.Elects && s.Voter && !s.Silent && s.ID != w.Leader && w.commits() {
			led := w
			broken := m.lead(&led, s.ID)
			visit(Action{Verb: Elect, Who: s.ID, Executor: -1, Awaited: -1}, led, broken)
		}
	}
}

// lead is the first command of another leader. The executor of the one before may go on.
func (m *Model) lead(w *World, server string) error {
	w.Leader = server
	if w.alive() {
		w.Processes[1], w.Processes[0] = w.Processes[0], Process{}
	}
	return m.settle(w, "", "")
}

func (m *Model) servers(w World, visit visitor) {
	for i, s := range w.Servers {
		change := func(v Verb, s Server) {
			next := w
			next.Servers = slices.Clone(w.Servers)
			next.Servers[i] = s
			visit(Action{Verb: v, Who: s.ID, Executor: -1, Awaited: -1}, next, nil)
		}
		may := slices.Contains(m.Bounds.Fail, s.ID)
		switch after := s; {
		case s.Silent:
			after.Silent = false
			change(Return, after)
		case s.Behind:
			after.Behind = false
			change(CatchUp, after)
			fallthrough
		default:
			if after = s; may && s.ID != w.Leader {
				after.Silent = true
				change(FallSilent, after)
			}
		}
	}
}

// supersede has the present executor give one transition up for another. No executor
// of production does; the turn would take it.
func (m *Model) supersede(w World, visit visitor) {
	p := &w.Processes[0]
	if !w.alive() || p.Call != nil || w.late() >= m.Bounds.InFlight {
		return
	}
	for _, old := range w.Slots {
		for _, by := range w.Slots {
			if old.Pending.IsZero() || by.Pending.Planned <= old.Pending.Planned {
				continue
			}
			e := &transition.Event{
				Type: transition.EventTerminal, Kind: old.Kind, Target: old.Target, Intent: old.Pending.Intent, Planned: old.Pending.Planned,
				Phase: transition.PhaseSuperseded, SupersededBy: by.Pending.ID,
			}
			msg := Message{Era: w.Era, Event: e, Means: old.Pending.ID}
			visit(Action{Verb: Supersede, Who: p.Node, About: &msg, Executor: 0, Awaited: -1}, w.sent(msg), nil)
		}
	}
}
