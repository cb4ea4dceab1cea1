package command

import (
	"encoding/json"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/wire"
)

// TransitionVerb is what a command does to transitions.
type TransitionVerb uint8

// The transition verbs. The numbers are in logs.
const (
	TransitionPlan    TransitionVerb = 1
	TransitionCancel  TransitionVerb = 2
	TransitionEnd     TransitionVerb = 3
	TransitionDispose TransitionVerb = 4
)

// String names the verb for causes and logs.
func (v TransitionVerb) String() string {
	names := [...]string{"unknown", "plan", "cancel", "end", "dispose"}
	if int(v) < len(names) {
		return names[v]
	}
	return names[0]
}

// TransitionEvent is one event of fsm/transition in a flat form. Which fields count
// depends on Verb. What the sender had read is the command's ReadToken, its tenure
// the command's Duty, Era and Holder, and why the command's Reason and Message.
type TransitionEvent struct {
	Verb TransitionVerb
	// Assess asks what the event would do, and nothing more.
	Assess bool

	Kind, Target string
	// Intent is a plan's; an end and a cancellation carry its digest.
	Intent json.RawMessage
	Digest transition.Digest
	// Planned says which transition is meant, Expect at which revision the event was
	// assessed.
	Planned, Expect uint64

	// Of a plan: cluster times in nanoseconds, the index of the members that it was
	// made for, its retry class and the transition that it is a step of.
	Deadline, PhaseLimit int64
	Configuration        uint64
	Retry                candor.RetryClass
	Parent               string

	// Of an end: the phase, what superseded it, and the executor's report.
	Phase                        transition.Phase
	SupersededBy                 string
	Admitted, Executing, Applied int64
	Outcome                      transition.Outcome

	// Of a disposal: which ended transitions, if they ended so many nanoseconds ago.
	IDs  []string
	Keep int64
}

// Plan begins a transition. Revision and PlannedAt of the plan are the turn's to say;
// a plan with a duty is fenced by it, and holder holds it.
func Plan(p *transition.Plan, holder string) *Command {
	return &Command{
		Type: TypeTransition, Actor: p.Actor, Duty: p.Duty, Era: p.Era, Holder: holder, ReadToken: p.Source, Reason: p.Reason, Message: p.Message,
		Transition: TransitionEvent{
			Verb: TransitionPlan, Kind: string(p.Kind), Target: p.Target, Intent: p.Intent, Deadline: p.Deadline, PhaseLimit: p.PhaseLimit,
			Configuration: p.Configuration, Retry: p.Retry, Parent: p.Parent,
		},
	}
}

// Cancel gives a transition up.
func Cancel(actor string, p *transition.Plan, reason, message string) *Command {
	return &Command{
		Type: TypeTransition, Actor: actor, Reason: reason, Message: message,
		Transition: TransitionEvent{Verb: TransitionCancel, Kind: string(p.Kind), Target: p.Target, Digest: p.Digest(), Planned: p.Revision},
	}
}

// End ends a transition under a tenure of its executor's, with the executor's report.
func End(duty string, era uint64, holder string, p *transition.Plan, phase transition.Phase, report *transition.Journal) *Command {
	return &Command{
		Type: TypeTransition, Actor: candor.ActorSystem, Duty: duty, Era: era, Holder: holder, Reason: string(report.Reason), Message: report.Message,
		Transition: TransitionEvent{
			Verb: TransitionEnd, Kind: string(p.Kind), Target: p.Target, Digest: p.Digest(), Planned: p.Revision, Phase: phase,
			Admitted: report.Times.Admitted, Executing: report.Times.Executing, Applied: report.Times.Applied, Outcome: report.Outcome,
		},
	}
}

// Dispose removes the objects of transitions that ended keep nanoseconds ago or
// earlier, under a tenure of the janitor's.
func Dispose(duty string, era uint64, holder string, keep int64, ids ...string) *Command {
	return &Command{
		Type: TypeTransition, Actor: candor.ActorSystem, Duty: duty, Era: era, Holder: holder,
		Transition: TransitionEvent{Verb: TransitionDispose, IDs: ids, Keep: keep},
	}
}

// TransitionEvent is the event that the command carries, with strings of its own; nil
// for a verb that is no event.
func (c *Command) TransitionEvent() *transition.Event {
	e := &c.Transition
	event := &transition.Event{
		Kind: transition.Kind(strings.Clone(e.Kind)), Target: strings.Clone(e.Target), Intent: e.Digest, Planned: e.Planned, Expect: e.Expect,
	}
	switch e.Verb {
	case TransitionPlan:
		event.Type, event.Source = transition.EventPlan, c.ReadToken.Revision
		event.Intent = transition.IntentDigest(event.Kind, event.Target, e.Intent)
	case TransitionCancel:
		event.Type = transition.EventCancel
	case TransitionEnd:
		event.Type = transition.EventTerminal
		event.Phase, event.SupersededBy = transition.Phase(strings.Clone(string(e.Phase))), strings.Clone(e.SupersededBy)
	default:
		return nil
	}
	return event
}

func appendTransition(b []byte, e *TransitionEvent) []byte {
	b = wire.AppendUint(b, 1, uint64(e.Verb))
	b = wire.AppendBool(b, 2, e.Assess)
	b = wire.AppendString(b, 3, e.Kind)
	b = wire.AppendString(b, 4, e.Target)
	b = wire.AppendBytes(b, 5, e.Intent)
	if !e.Digest.IsZero() {
		b = wire.AppendBytes(b, 6, e.Digest[:])
	}
	b = wire.AppendUint(b, 7, e.Planned)
	b = wire.AppendUint(b, 8, e.Expect)
	b = wire.AppendInt(b, 9, e.Deadline)
	b = wire.AppendInt(b, 10, e.PhaseLimit)
	b = wire.AppendUint(b, 11, e.Configuration)
	b = wire.AppendString(b, 12, string(e.Retry))
	b = wire.AppendString(b, 13, e.Parent)
	b = wire.AppendString(b, 14, string(e.Phase))
	b = wire.AppendString(b, 15, e.SupersededBy)
	b = wire.AppendInt(b, 16, e.Admitted)
	b = wire.AppendInt(b, 17, e.Executing)
	b = wire.AppendInt(b, 18, e.Applied)
	b = wire.AppendString(b, 19, string(e.Outcome))
	for _, id := range e.IDs {
		b = wire.AppendNested(b, 20, func(b []byte) []byte { return wire.AppendString(b, 1, id) })
	}
	return wire.AppendInt(b, 21, e.Keep)
}

func readTransition(outer *wire.Reader) TransitionEvent {
	var e TransitionEvent
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			e.Verb = TransitionVerb(r.Uint())
		case 2:
			e.Assess = r.Bool()
		case 3:
			e.Kind = r.String()
		case 4:
			e.Target = r.String()
		case 5:
			e.Intent = json.RawMessage(r.Bytes())
		case 6:
			if p := r.Bytes(); len(p) == len(e.Digest) {
				e.Digest = transition.Digest(p)
			} else {
				outer.Fail()
			}
		case 7:
			e.Planned = r.Uint()
		case 8:
			e.Expect = r.Uint()
		default:
			readTransitionDetail(&r, &e)
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return e
}

func readTransitionDetail(r *wire.Reader, e *TransitionEvent) {
	switch r.Field() {
	case 9:
		e.Deadline = r.Int()
	case 10:
		e.PhaseLimit = r.Int()
	case 11:
		e.Configuration = r.Uint()
	case 12:
		e.Retry = candor.RetryClass(r.String())
	case 13:
		e.Parent = r.String()
	case 14:
		e.Phase = transition.Phase(r.String())
	case 15:
		e.SupersededBy = r.String()
	case 16:
		e.Admitted = r.Int()
	case 17:
		e.Executing = r.Int()
	case 18:
		e.Applied = r.Int()
	case 19:
		e.Outcome = transition.Outcome(r.String())
	case 20:
		e.IDs = append(e.IDs, readID(r))
	case 21:
		e.Keep = r.Int()
	}
}

func readID(outer *wire.Reader) string {
	id := ""
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		if r.Field() == 1 {
			id = r.String()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return id
}
