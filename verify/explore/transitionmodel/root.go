package transitionmodel

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
)

// decide is the turn of an event, as the state machine takes it: what it answers, and
// the promise that it breaks.
func (m *Model) decide(w *World, msg *Message) (v transition.Verdict, refusal *candor.Error, broken error) {
	e := msg.Event
	f := m.facts(w, msg)
	var before transition.Entry
	at := w.slot(e.Kind, e.Target)
	if at >= 0 {
		before = w.Slots[at].Entry
	}
	next, v := m.Rules.Publish(f, e, w.Revision+1)
	if err := v.Err(); err != nil {
		return v, err, nil
	}
	if p := msg.Plan; e.Type == transition.EventPlan && v.Action == transition.ActionApply && p.Configuration != 0 && p.Configuration != w.Configuration {
		return v, candor.Errorf(candor.ReasonEpochMismatch, "the members are those of configuration %d", w.Configuration), nil
	}
	if v.Action == transition.ActionApply {
		w.Revision++
		if e.Type == transition.EventPlan {
			broken = m.begin(w, msg, &next)
		} else {
			broken = m.end(w, before.Pending.ID, v, e, msg.report())
			if about := before.Pending.ID; broken == nil && msg.Means != "" && about != msg.Means {
				broken = fmt.Errorf("an event about %s ends %s", m.title(w, msg.Means), m.title(w, about))
			}
		}
		w.set(e.Kind, e.Target, next)
	}
	if settled := m.settle(w, e.Kind, e.Target); broken == nil {
		broken = settled
	}
	return v, nil, broken
}

func (m *Model) facts(w *World, msg *Message) transition.Facts {
	e := msg.Event
	var f transition.Facts
	if at := w.slot(e.Kind, e.Target); at >= 0 {
		f.Entry = w.Slots[at].Entry
	}
	plan := msg.Plan
	if e.Type != transition.EventPlan {
		plan = nil
		if at := w.object(f.Entry.Pending.ID); at >= 0 {
			plan = &w.Objects[at].Plan
		}
	}
	if plan != nil && plan.Digest() == e.Intent {
		intent, _ := transition.ReadMembership(plan.Intent)
		f.Satisfied = transition.Satisfied(e.Kind, e.Target, intent, w.configuration())
	}
	return f
}

// begin makes the object of a plan.
func (m *Model) begin(w *World, msg *Message, next *transition.Entry) error {
	p := *msg.Plan
	p.Revision, p.PlannedAt = w.Revision, now
	if err := p.Check(); err != nil {
		return err
	}
	if msg.Applied {
		return fmt.Errorf("one plan begins two transitions of %s %s", p.Kind, p.Target)
	}
	next.Pending.ID = m.Rules.ID(p.Kind, p.Target, p.Revision)
	o := Object{Transition: &transition.Transition{Plan: p, Status: p.Status()}, Record: next.Pending.ID}
	if shown := o.Overdue(deadline+1, true); shown == nil || !slices.Contains(transition.Causes(), shown.Cause) || shown.Next == "" {
		return fmt.Errorf("%s is not shown as stalled after its deadline, with cause and next action", p.Kind)
	}
	if at := w.object(o.Record); at >= 0 {
		w.Objects = slices.Clone(w.Objects)
		before := w.Objects[at]
		w.Objects[at] = o
		return m.kept(before.Transition, o.Transition)
	}
	w.Objects = append(slices.Clip(w.Objects), o)
	return m.kept(nil, o.Transition)
}

// end writes how a transition ended.
func (m *Model) end(w *World, id string, v transition.Verdict, e *transition.Event, report transition.Journal) error {
	at := w.object(id)
	if at < 0 {
		return errors.New("what ends has no object")
	}
	before := w.Objects[at]
	after := before
	t := *before.Transition
	t.Status = m.Rules.End(t.Status, v, e, w.Revision, now, report)
	after.Transition = &t
	w.Objects = slices.Clone(w.Objects)
	w.Objects[at] = after
	shows := before.Happened || w.shows(&t.Plan)
	switch broken := m.kept(before.Transition, &t); {
	case broken != nil:
		return broken
	case t.Status.Phase.Succeeded() && !shows:
		return fmt.Errorf("%s %s ends as %s, and the members never showed it", t.Plan.Kind, t.Plan.Target, t.Status.Phase)
	case !t.Status.Phase.Succeeded() && shows:
		return fmt.Errorf("%s %s ends as %s, and the members show it", t.Plan.Kind, t.Plan.Target, t.Status.Phase)
	case e.SupersededBy != "" && w.object(e.SupersededBy) < 0:
		return fmt.Errorf("%s %s is superseded by nothing that is known", t.Plan.Kind, t.Plan.Target)
	default:
		return nil
	}
}

// kept holds a change of a transition to the guarantees.
func (m *Model) kept(before, after *transition.Transition) error {
	for i := range m.Rules.Guarantees {
		if wrong := m.Rules.Guarantees[i].Check(before, after); wrong != "" {
			return fmt.Errorf("%s: %s", m.Rules.Guarantees[i].Name, wrong)
		}
	}
	return nil
}

// settle ends what the members show to have happened, but the slot of the turn's own.
func (m *Model) settle(w *World, kind transition.Kind, target string) error {
	m.observe(w)
	for i := range w.Slots {
		s := w.Slots[i]
		if s.Pending.IsZero() || s.Pending.Shown == 0 || s.Kind == kind && s.Target == target {
			continue
		}
		e := &transition.Event{Type: transition.EventTerminal, Kind: s.Kind, Target: s.Target, Intent: s.Pending.Intent, Planned: s.Pending.Planned, Phase: transition.PhasePublished}
		next, v := m.Rules.Publish(transition.Facts{Entry: s.Entry}, e, w.Revision+1)
		if v.Action != transition.ActionApply {
			continue
		}
		w.Revision++
		if broken := m.end(w, s.Pending.ID, v, e, transition.Journal{Outcome: transition.OutcomeApplied}); broken != nil {
			return broken
		}
		w.set(s.Kind, s.Target, next)
	}
	return nil
}

// observe notes what the members show, in the index by production's rule and in the
// objects by the model's.
func (m *Model) observe(w *World) {
	c := w.configuration()
	w.Slots = slices.Clone(w.Slots)
	for i := range w.Slots {
		s := &w.Slots[i]
		if at := w.object(s.Pending.ID); at >= 0 {
			intent, _ := transition.ReadMembership(w.Objects[at].Plan.Intent)
			s.Entry = transition.Observe(s.Entry, s.Kind, s.Target, intent, c, 1)
		}
	}
	w.Objects = slices.Clone(w.Objects)
	for i := range w.Objects {
		o := &w.Objects[i]
		o.Happened = o.Happened || !o.Status.Phase.Terminal() && w.shows(&o.Plan)
	}
}

// shows is the model's own judgement of whether the members are as a plan wants them.
func (w *World) shows(p *transition.Plan) bool {
	intent, _ := transition.ReadMembership(p.Intent)
	is := func(id string, voter bool) bool {
		at := w.server(id)
		return at >= 0 && (w.Servers[at].Voter || !voter)
	}
	switch p.Kind {
	case transition.MemberAdd:
		return is(p.Target, false)
	case transition.MemberPromote:
		return is(p.Target, true)
	case transition.MemberRemove:
		return !is(p.Target, false)
	case transition.MemberReplace:
		return !is(p.Target, false) && is(intent.With, !intent.Nonvoter)
	default:
		return w.Leader == p.Target
	}
}

func (w *World) set(kind transition.Kind, target string, e transition.Entry) {
	at := w.slot(kind, target)
	w.Slots = slices.Clone(w.Slots)
	if at < 0 {
		w.Slots = append(w.Slots, Slot{Kind: kind, Target: target, Entry: e})
		slices.SortFunc(w.Slots, func(a, b Slot) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target))
		})
		return
	}
	w.Slots[at].Entry = e
}

// report is what an executor says of its work.
func (msg *Message) report() transition.Journal {
	if msg.Call == nil {
		return transition.Journal{}
	}
	return msg.Call.report
}

// title is a transition for people.
func (m *Model) title(w *World, id string) string {
	at := w.object(id)
	if at < 0 {
		return "an unknown one"
	}
	p := &w.Objects[at].Plan
	return fmt.Sprintf("%s %s of revision %d", p.Kind, p.Target, p.Revision)
}
