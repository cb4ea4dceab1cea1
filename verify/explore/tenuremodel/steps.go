package tenuremodel

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/candor-plane/candor/coordinator/allocator"
	"github.com/candor-plane/candor/fsm/tenure"
)

// Model is one to explore.
type Model struct {
	Bounds Bounds
	Rules  Rules
}

// visitor takes one step.
type visitor = func(Action, World, error)

// Initial is a cluster whose duty nobody has held.
func (m *Model) Initial() World {
	duty, err := tenure.DutyOf(m.Bounds.Duty)
	if err != nil {
		panic("tenuremodel: " + err.Error())
	}
	l := tenure.New(duty)
	return World{Lineage: &l, Term: 1}
}

// Steps visits everything that may happen next.
func (m *Model) Steps(w World, step visitor) {
	visit := func(a Action, next World, broken error) {
		m.settle(&next)
		step(a, next, broken)
	}
	for h := range m.Bounds.Holders {
		m.crash(w, h, visit)
		m.candidate(w, h, visit)
		m.holder(w, h, visit)
		if m.Bounds.Leaders && w.Leader != h {
			next := w
			next.Leader, next.Term = h, w.Term+1
			visit(Action{Verb: Lead, Who: h}, next, nil)
		}
	}
	for i := range w.Wire {
		m.message(w, i, visit)
	}
	for i := range w.Answers {
		m.answer(w, i, visit)
	}
	next := w
	next.Clock, next.Real = w.Clock+1, w.Real+1
	visit(Action{Verb: Tick}, next, nil)
	if m.Bounds.Stops {
		next.Clock = w.Clock
		visit(Action{Verb: Stop}, next, nil)
	}
}

// settle lets every process that has lost its era, and knows that it left it, or
// whose campaign a newer era has overtaken, begin anew. What it sent may still be on
// its way.
func (m *Model) settle(w *World) {
	for h := range m.Bounds.Holders {
		p := &w.Processes[h]
		lost := p.Leaving != nil && m.Rules.Drains && !w.Lineage.Holds(names[h], p.Era)
		if lost || p.Campaign != nil && p.Expect < w.Lineage.Current.Number && w.Lineage.Current.Candidacy != p.Candidacy {
			*p = Process{}
		}
	}
}

func (m *Model) crash(w World, h int, visit visitor) {
	w.Processes[h] = Process{}
	w.Wire = slices.Clone(w.Wire)
	for i := range w.Wire {
		w.Wire[i].Orphan = w.Wire[i].Orphan || w.Wire[i].From == h
	}
	visit(Action{Verb: Crash, Who: h}, w, nil)
}

// send visits the sending of an event, unless it is on its way or the wire is full.
func (m *Model) send(w World, h int, e tenure.Event, visit visitor) {
	if len(w.Wire) >= m.Bounds.InFlight || w.underway(h, e) {
		return
	}
	message := Message{From: h, Event: e, SentAt: w.Real}
	visit(Action{Verb: Ask, Who: h, About: message, Vacant: w.vacant()}, w.sent(message), nil)
}

// candidate is what one does that holds nothing.
func (m *Model) candidate(w World, h int, visit visitor) {
	p := &w.Processes[h]
	if p.Era != 0 {
		return
	}
	if p.Campaign != nil {
		m.send(w, h, p.Campaign, visit)
		next := w
		next.Processes[h] = Process{}
		visit(Action{Verb: Forget, Who: h}, next, nil)
		return
	}
	c := &w.Lineage.Current
	if c.Number >= m.Bounds.Eras || len(w.Wire) >= m.Bounds.InFlight || !w.Lineage.IsFree(names[h], w.now()) {
		return
	}
	w.Drawn++
	candidacy := strconv.FormatUint(w.Drawn, 10)
	start := c.Usage
	if c.State == tenure.StateActive {
		start = c.Bound
	}
	campaign := func(e tenure.Event) {
		next := w
		q := &next.Processes[h]
		q.Campaign, q.Expect, q.Candidacy, q.AskedAt = e, c.Number, candidacy, w.Real
		m.send(next, h, e, visit)
	}
	campaign(tenure.Campaign{Holder: names[h], Candidacy: candidacy, Expect: c.Number, Cite: c.Seal, Start: start, Duration: m.Bounds.Lasts * tick})
	if c.State == tenure.StateClosed && c.Holder == names[h] {
		campaign(tenure.Reattach{Holder: names[h], Candidacy: candidacy, Era: c.Number, Cite: c.Seal})
	}
}

// holder is what one does that thinks it holds.
func (m *Model) holder(w World, h int, visit visitor) {
	p := &w.Processes[h]
	if p.Era == 0 {
		return
	}
	if !w.Lineage.Holds(names[h], p.Era) {
		next := w
		next.Processes[h] = Process{}
		visit(Action{Verb: Look, Who: h}, next, nil)
	}
	if e := m.Rules.Pending(*w.Lineage, names[h]); e != nil && p.Era == w.Lineage.Current.Number {
		m.send(w, h, e, visit)
	}
	if p.Leaving != nil {
		m.send(w, h, p.Leaving, visit)
		if m.Rules.Drains {
			return
		}
	} else {
		m.leave(w, h, visit)
	}
	m.use(w, h, visit)
	if m.Bounds.Renews {
		m.send(w, h, tenure.Renew{Era: p.Era, Holder: names[h]}, visit)
	}
	if bound, ok := p.Window.Want(1, 0); m.Bounds.Reserves && p.Window.Left(0) == 0 && ok && bound <= m.Bounds.Values {
		m.send(w, h, tenure.Reserve{Era: p.Era, Holder: names[h], Bound: m.frontiers(bound)}, visit)
	}
	if m.Bounds.Writes && len(w.Wire) < m.Bounds.InFlight && !w.writing(h, p.Era) {
		message := Message{From: h, Write: p.Era, SentAt: w.Real}
		visit(Action{Verb: Ask, Who: h, About: message}, w.sent(message), nil)
	}
}

// leave is how a holder ends its era.
func (m *Model) leave(w World, h int, visit visitor) {
	p := &w.Processes[h]
	usage := m.frontiers(p.Window.Used)
	leave := func(e tenure.Event) {
		next := w
		next.Processes[h].Leaving = e
		m.send(next, h, e, visit)
	}
	leave(tenure.Seal{Era: p.Era, Holder: names[h], Usage: usage})
	if m.Bounds.Transfers {
		for to := range m.Bounds.Holders {
			if to != h {
				leave(tenure.Seal{Era: p.Era, Holder: names[h], Usage: usage, To: names[to]})
			}
		}
	}
	if m.Bounds.Releases && len(w.Lineage.Unfinished) == 0 {
		leave(tenure.Release{Era: p.Era, Holder: names[h], Usage: usage})
	}
}

// use hands one value out.
func (m *Model) use(w World, h int, visit visitor) {
	p := &w.Processes[h]
	value, after, ok := p.Window.Take(1, 0)
	if !ok || m.Bounds.Answers > 0 && len(w.Answers) >= m.Bounds.Answers {
		return
	}
	belief := tenure.Belief{RenewSent: p.RenewSent * tick, Duration: m.Bounds.Lasts * tick}
	if m.timestamps() && !m.Rules.Believes(belief, w.Real*tick, m.Bounds.Drift) {
		return
	}
	p.Window = after
	var broken error
	switch {
	case w.Used&(1<<value) != 0:
		broken = fmt.Errorf("%d is handed out twice", value)
	case m.timestamps() && value <= w.Highest:
		broken = fmt.Errorf("timestamp %d is handed out after %d", value, w.Highest)
	}
	w.Used |= 1 << value
	if m.timestamps() {
		w.Highest = value
	}
	if m.Bounds.Answers > 0 {
		w.Answers = append(slices.Clip(w.Answers), Answer{Era: p.Era, Value: value})
	}
	visit(Action{Verb: Use, Who: h, Value: value}, w, broken)
}

// answer brings one to the client.
func (m *Model) answer(w World, i int, visit visitor) {
	a := w.Answers[i]
	w.Answers = slices.Delete(slices.Clone(w.Answers), i, i+1)
	var broken error
	if m.Rules.Takes(w.Seen, a.Era) {
		if a.Era < w.Seen {
			broken = fmt.Errorf("the client takes an answer of era %d after one of era %d", a.Era, w.Seen)
		}
		w.Seen = max(w.Seen, a.Era)
	}
	visit(Action{Verb: Take, Value: a.Value}, w, broken)
}

// message is what may become of a command on its way.
func (m *Model) message(w World, i int, visit visitor) {
	about := w.Wire[i]
	visit(Action{Verb: Drop, About: about}, w.without(i), nil)
	next, refusal, broken := m.decide(w, about)
	if !about.Orphan {
		visit(Action{Verb: Deliver, About: about}, m.heard(next.without(i), about, refusal), broken)
	}
	visit(Action{Verb: DeliverUnheard, About: about}, next.without(i), broken)
	visit(Action{Verb: DeliverAndKeep, About: about}, next, broken)
}

var errRefused = errors.New("refused")

// decide is the root's turn.
func (m *Model) decide(w World, about Message) (next World, refusal, broken error) {
	if about.Write != 0 {
		if err := m.Rules.Fence(*w.Lineage, about.Write); err != nil {
			return w, errRefused, nil
		}
		if about.Write <= w.Ended {
			broken = fmt.Errorf("a write of era %d is accepted after era %d ended", about.Write, w.Ended)
		}
		if v := tenure.Silence(*w.Lineage, about.Write); broken == nil && m.Rules.Check != nil && v != nil {
			broken = errors.New(v.String())
		}
		return w, nil, broken
	}
	after, err := m.Rules.Apply(*w.Lineage, w.now(), about.Event)
	if err != nil {
		return w, errRefused, nil
	}
	if m.Rules.Check != nil {
		if v := m.Rules.Check(*w.Lineage, after); v != nil {
			broken = errors.New(v.String())
		}
	}
	w.Lineage = &after
	if c := &after.Current; c.State == tenure.StateActive {
		w.Ended = max(w.Ended, c.Number-1)
	} else {
		w.Ended = max(w.Ended, c.Number)
	}
	return w, nil, broken
}

// heard is what the sender makes of the root's answer.
func (m *Model) heard(w World, about Message, refusal error) World {
	p := &w.Processes[about.From]
	noted := about.SentAt
	switch e := about.Event.(type) {
	case tenure.Campaign, tenure.Reattach:
		if p.Campaign != e {
			return w
		}
		if m.Rules.CountsFirst {
			noted = p.AskedAt
		}
		*p = Process{}
		if c := &w.Lineage.Current; refusal == nil {
			*p = Process{Era: c.Number, Window: allocator.Begin(m.value(c.Start)), RenewSent: noted}
		}
		return w
	}
	// Of a refusal it makes nothing: it learns by looking that it holds no more.
	switch e := about.Event.(type) {
	case tenure.Renew:
		if refusal == nil && p.Era == e.Era {
			p.RenewSent = max(p.RenewSent, noted)
		}
	case tenure.Reserve:
		if refusal == nil && p.Era == e.Era {
			p.Window = p.Window.Granted(m.value(e.Bound))
		}
	}
	return w
}

func (m *Model) timestamps() bool { return m.Bounds.Duty == tenure.DutyTSO }

func (m *Model) frontiers(value uint64) tenure.Frontiers {
	if m.timestamps() {
		return tenure.Frontiers{Timestamp: value}
	}
	return tenure.Frontiers{ID: value}
}

func (m *Model) value(f tenure.Frontiers) uint64 {
	if m.timestamps() {
		return f.Timestamp
	}
	return f.ID
}
