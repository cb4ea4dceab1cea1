package fsm

import (
	"bytes"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// plan is the one that the command asks for.
func (d *draft) plan(event *transition.Event) (transition.Plan, *candor.Error) {
	c, s := d.cmd, d.m.state
	t := &c.Transition
	p := transition.Plan{
		Kind: event.Kind, Target: event.Target, Revision: d.revision(), Source: c.ReadToken, Intent: bytes.Clone(t.Intent),
		Duty: clone(c.Duty), Era: c.Era, PlannedAt: s.time, Deadline: t.Deadline, PhaseLimit: t.PhaseLimit, Configuration: t.Configuration,
		Retry: candor.RetryClass(clone(string(t.Retry))), Parent: clone(t.Parent),
		Actor: clone(c.Actor), Reason: clone(c.Reason), Message: clone(c.Message),
	}
	if err := p.Check(); err != nil {
		return p, err
	}
	if p.Deadline != 0 && p.Deadline <= s.time {
		return p, candor.Errorf(candor.ReasonInvalid, "the plan's deadline %d has passed: cluster time is %d", p.Deadline, s.time)
	}
	// What the root could not read again must not become its truth.
	if _, err := transition.ReadSpec(p.Spec()); err != nil {
		return p, candor.Errorf(candor.ReasonInvalid, "%s", err.Message)
	}
	if p.Kind.Derived() {
		return p, checkMembership(&p)
	}
	return p, nil
}

// checkMembership refuses an intent that says too little, or in other bytes than those
// that equal intents share.
func checkMembership(p *transition.Plan) *candor.Error {
	m, err := transition.ReadMembership(p.Intent)
	switch {
	case err != nil:
		return candor.Errorf(candor.ReasonInvalid, "%s", err.Message)
	case !bytes.Equal(m.Intent(), p.Intent):
		return candor.Errorf(candor.ReasonInvalid, "the intent of %s is not in its one form, %s", p.Kind, m.Intent())
	case p.Kind == transition.MemberAdd && m.Address == "":
		return candor.Errorf(candor.ReasonInvalid, "%s of %s says no address", p.Kind, p.Target)
	case p.Kind == transition.MemberReplace && (m.With == "" || m.With == p.Target):
		return candor.Errorf(candor.ReasonInvalid, "%s of %s does not say by whom: a server whose disk is gone has a new ID", p.Kind, p.Target)
	default:
		return nil
	}
}

// mayChange refuses an event that is not its sender's to send, and a plan that was
// made for other members. The tenure itself has been checked: see fenced.
func (d *draft) mayChange(event *transition.Event, v transition.Verdict, plan *transition.Plan) *candor.Error {
	duty := d.cmd.Duty
	owner := plan.Duty
	if event.Kind.Derived() {
		owner = tenure.DutyTopology
	}
	refuse := func(why string) *candor.Error {
		return &candor.Error{Reason: candor.ReasonForbidden, Subject: d.cmd.Actor, Message: sprintf("%s of %s %s: %s", event.Type, event.Kind, event.Target, why)}
	}
	switch {
	case d.cmd.Transition.Assess:
	case event.Type == transition.EventTerminal && duty == "":
		return refuse("an end takes the tenure of the duty that executes it")
	case duty == "" && !event.Kind.Derived():
		return refuse("it takes a tenure: only membership changes are anybody's to ask for")
	case duty != "" && owner != "" && duty != owner:
		return refuse("it is for the holder of duty " + owner + ", not of " + duty)
	}
	now := d.m.state.configuration.Index
	if event.Type == transition.EventPlan && v.Action == transition.ActionApply && event.Kind.Derived() && plan.Configuration != 0 && now != 0 && plan.Configuration != now {
		return &candor.Error{Reason: candor.ReasonEpochMismatch, Subject: event.Target, Message: sprintf("the members are those of configuration %d; the plan was made for %d", now, plan.Configuration)}
	}
	return nil
}

// begin makes the object of a plan.
func (d *draft) begin(p *transition.Plan) *candor.Error {
	ref := candor.Ref{Kind: candor.KindTransitions, Name: p.ID()}
	if d.m.skip&rulePlanID != 0 {
		ref.Name = p.Target
	}
	status := p.Status()
	o := &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Transition", Spec: p.Spec(), Status: status.JSON(),
		Metadata: candor.Metadata{Name: ref.Name, UID: bornAs(ref, d.revision()), Generation: 1, CreateRevision: d.revision(), CreationTime: d.wall()},
	}
	return d.change(ref, nil, o, invariant.SectionSpec|invariant.SectionStatus|invariant.SectionLife)
}
