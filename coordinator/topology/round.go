package topology

import (
	"context"
	"errors"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/failpoint"
)

// round is one look at what pends, the oldest first. It makes at most one change.
type round struct {
	x     *Executor
	grant *coordinator.Grant
	seen  Seen
	// looked is the configuration, once somebody needed it.
	looked *Configuration
	// next is when an attempt that failed is due again, in cluster time; 0 for never.
	next int64
}

// run says whether something moved, so that there is another look to take at once.
func (r *round) run(ctx context.Context) bool {
	for i := range r.seen.Pending {
		if ctx.Err() != nil || r.try(ctx, &r.seen.Pending[i]) {
			return true
		}
	}
	return false
}

// try takes one transition one step further, if it is time to.
func (r *round) try(ctx context.Context, t *transition.Transition) (moved bool) {
	id := t.Plan.ID()
	w := r.x.update(id, r.admit)
	if w.failed.Count > 0 {
		again := transition.Retry(w.failed, r.seen.Now, r.surroundings())
		if !again.Now {
			r.due(again.At)
			return false
		}
	}
	if r.pending(func(o *transition.Transition) bool { return o.Plan.Parent == id }) != nil {
		return false // a step of it comes first
	}
	m, bad := transition.ReadMembership(t.Plan.Intent)
	if bad != nil {
		return r.end(ctx, t, transition.PhaseFailed, bad)
	}
	c, err := r.look(ctx)
	if err != nil {
		return r.failed(ctx, t, err)
	}
	if transition.Satisfied(t.Plan.Kind, t.Plan.Target, m, c.shown()) {
		return r.end(ctx, t, transition.PhasePublished, nil)
	}
	p, refused := left(t, m, c)
	switch {
	case t.Plan.Parent != "" && !r.needed(t, c):
		return r.end(ctx, t, transition.PhaseAborted, &candor.Error{Message: t.Plan.Parent + " does not take this step any more"})
	case refused != nil:
		return r.failed(ctx, t, refused)
	case len(p.Steps) == 0:
		return r.end(ctx, t, transition.PhaseFailed, candor.Errorf(candor.ReasonConflict, "nothing is left to do, and configuration %d is not what was asked for", c.Index))
	}
	step := p.Steps[0]
	if !step.is(t) {
		return r.plan(ctx, t, &step, m.Force)
	}
	return r.take(ctx, t, &step, m.Force)
}

// left is what a change still takes.
func left(t *transition.Transition, m transition.Membership, c Configuration) (Proposal, *candor.Error) {
	change := Change{Kind: Kind(t.Plan.Kind), Server: t.Plan.Target, Address: m.Address, With: m.With, Nonvoter: m.Nonvoter, Begun: true}
	return Plan(change, c, m.Force)
}

func (s *Step) is(t *transition.Transition) bool {
	return string(s.Kind) == string(t.Plan.Kind) && s.Server == t.Plan.Target
}

// needed says whether a step is the next of what it was planned for. The members may
// have changed since, and another way be shorter.
func (r *round) needed(step *transition.Transition, c Configuration) bool {
	parent := r.parent(step)
	if parent == nil {
		return false
	}
	m, bad := transition.ReadMembership(parent.Plan.Intent)
	if bad != nil {
		return false
	}
	p, refused := left(parent, m, c)
	if refused != nil || len(p.Steps) == 0 {
		return false
	}
	next := &p.Steps[0]
	if next.Kind != Transfer || step.Plan.Kind != transition.LeaderTransfer || step.Plan.Target == parent.Plan.Target {
		return next.is(step)
	}
	// Who is fittest changes with every look: whoever was chosen does, while it may lead.
	_, unfit := Plan(Change{Kind: Transfer, Server: step.Plan.Target}, c, false)
	return unfit == nil
}

// take makes a step that is the change itself.
func (r *round) take(ctx context.Context, t *transition.Transition, s *Step, force bool) bool {
	r.x.update(t.Plan.ID(), func(w *work) {
		w.journal.Phase, w.journal.Outcome, w.journal.Times.Executing = transition.PhaseExecuting, transition.OutcomeProposed, r.seen.Now
	})
	r.x.logger.Info("membership changes", "step", string(s.Kind), "server", s.Server, "configuration", s.Configuration, "quorum", s.Quorum.String(), "transition", t.Plan.ID())
	failpoint.Hit("membership/step", string(s.Kind))
	var err error
	switch s.Kind {
	case Add:
		err = r.x.members.Add(ctx, s.Server, s.Address, s.Configuration)
	case Promote:
		err = r.x.members.Promote(ctx, s.Server, s.Configuration)
	case Remove:
		err = r.x.members.Remove(ctx, s.Server, s.Configuration, force)
	case Transfer:
		err = r.x.members.Transfer(ctx, s.Server)
	case Replace:
		err = candor.Errorf(candor.ReasonInternal, "a replacement is no step")
	}
	r.looked = nil
	if err != nil {
		return r.failed(ctx, t, err)
	}
	failpoint.Hit("membership/taken", string(s.Kind))
	seen, _ := r.x.root.Pending()
	r.x.update(t.Plan.ID(), func(w *work) {
		w.journal.Phase, w.journal.Outcome, w.journal.Times.Applied = transition.PhaseApplied, transition.OutcomeApplied, seen.Now
	})
	if s.Kind == Transfer {
		return true // the next leader's first command ends it
	}
	return r.end(ctx, t, transition.PhasePublished, nil)
}

// plan plans a step that comes before the change itself.
func (r *round) plan(ctx context.Context, parent *transition.Transition, s *Step, force bool) bool {
	p := &transition.Plan{
		Kind: transition.Kind(s.Kind), Target: s.Server, Intent: transition.Membership{Address: s.Address, Force: force}.Intent(), Source: r.seen.Token,
		Duty: tenure.DutyTopology, Era: r.grant.Era, Deadline: parent.Plan.Deadline, PhaseLimit: parent.Plan.PhaseLimit, Configuration: s.Configuration,
		Retry: parent.Plan.Retry, Parent: parent.Plan.ID(), Actor: candor.ActorSystem, Reason: "STEP", Message: "a step of " + parent.Plan.ID(),
	}
	if p.Deadline <= r.seen.Now {
		p.Deadline = 0 // the parent's has passed, and says so; a step may not begin late
	}
	failpoint.Hit("membership/plan", string(s.Kind))
	v, err := r.x.root.Plan(ctx, r.grant.Era, p)
	switch {
	case err != nil:
		r.again(parent, asError(err), transition.PublishPending)
		return false
	case v.Phase != transition.PhasePlanned && v.Phase != transition.AnswerPending:
		r.again(parent, candor.Errorf(candor.ReasonTimedOut, "step %s of %s is %s by the root, and not yet by the members", s.Kind, s.Server, v.Phase), transition.PublishPending)
		return false
	default:
		failpoint.Hit("membership/planned", string(s.Kind))
		r.x.update(parent.Plan.ID(), succeeded)
		return v.Action == transition.ActionApply
	}
}

// failed keeps an attempt that failed for another, or ends what is refused for good.
func (r *round) failed(ctx context.Context, t *transition.Transition, err error) bool {
	e := asError(err)
	if !forGood(e.Reason, t.Plan.Retry) {
		r.again(t, e, transition.PublishPending)
		return false
	}
	moved := r.end(ctx, t, transition.PhaseFailed, e)
	if parent := r.parent(t); moved && parent != nil {
		r.end(ctx, parent, transition.PhaseFailed, &candor.Error{Reason: e.Reason, Message: "step " + t.Plan.ID() + ": " + e.Message})
	}
	return moved
}

// forGood says whether a refusal ends the transition. Who answers and how far they are
// may change: a plan that may be tried later waits for it.
func forGood(reason candor.Reason, retry candor.RetryClass) bool {
	switch reason {
	case candor.ReasonInvalid, candor.ReasonNotAMember, candor.ReasonMemberExists:
		return true
	case candor.ReasonQuorumAtRisk, candor.ReasonConflict:
		return retry != candor.RetryLater
	case candor.ReasonNotCaughtUp:
		return retry == candor.RetryNever
	default:
		return false
	}
}

// again notes a failed attempt.
func (r *round) again(t *transition.Transition, e *candor.Error, publish transition.PublishState) {
	class := e.Reason.Disposition().Retry
	switch e.Reason {
	case candor.ReasonQuorumAtRisk, candor.ReasonConflict, candor.ReasonEpochMismatch, candor.ReasonCanceled:
		// What they are about has changed already, or will.
		class = candor.RetryLater
	default:
	}
	w := r.x.update(t.Plan.ID(), func(w *work) {
		w.journal.Reason, w.journal.Message, w.journal.Publish = e.Reason, e.Message, publish
		w.journal.Attempts++
		w.failed = transition.Attempt{Retry: class, At: r.seen.Now, Count: w.failed.Count + 1, Required: r.seen.Token, Seen: r.surroundings()}
	})
	r.due(transition.Retry(w.failed, r.seen.Now, r.surroundings()).At)
	r.x.logger.Warn("membership change waits", "transition", t.Plan.ID(), "attempts", w.journal.Attempts, "reason", string(e.Reason), "error", e.Message)
}

// end has the root know how a transition ended.
func (r *round) end(ctx context.Context, t *transition.Transition, phase transition.Phase, why *candor.Error) bool {
	w := r.x.update(t.Plan.ID(), nil)
	report := w.journal
	report.Executor, report.Reason, report.Message = r.grant.Holder, "", ""
	if why != nil {
		report.Reason, report.Message = why.Reason, why.Message
	}
	switch {
	case phase.Succeeded():
		report.Outcome = transition.OutcomeApplied
	case phase == transition.PhaseFailed:
		report.Outcome = transition.OutcomeFailed
	}
	if err := r.x.root.End(ctx, r.grant.Era, &t.Plan, phase, &report); err != nil {
		r.again(t, asError(err), transition.PublishFailed)
		return false
	}
	failpoint.Hit("membership/ended", string(t.Plan.Kind))
	r.x.logger.Info("membership change ended", "transition", t.Plan.ID(), "phase", string(phase), "reason", string(report.Reason), "message", report.Message)
	return true
}

// look is the configuration after a confirmed read, once a round.
func (r *round) look(ctx context.Context) (Configuration, error) {
	if r.looked == nil {
		c, err := r.x.members.Configuration(ctx)
		if err != nil {
			return Configuration{}, err
		}
		r.looked = &c
	}
	return *r.looked, nil
}

func (r *round) pending(which func(*transition.Transition) bool) *transition.Transition {
	for i := range r.seen.Pending {
		if t := &r.seen.Pending[i]; which(t) {
			return t
		}
	}
	return nil
}

// parent is what a transition is a step of, while that pends.
func (r *round) parent(step *transition.Transition) *transition.Transition {
	return r.pending(func(t *transition.Transition) bool { return t.Plan.ID() == step.Plan.Parent })
}

func (r *round) surroundings() transition.Surroundings {
	return transition.Surroundings{Leader: r.seen.Leader, Era: r.grant.Era, Token: r.seen.Token}
}

// due keeps the earliest time at which an attempt comes again.
func (r *round) due(at int64) {
	if at != 0 && (r.next == 0 || at < r.next) {
		r.next = at
	}
}

func (r *round) admit(w *work) {
	if w.journal.Phase == "" {
		w.journal.Phase, w.journal.Executor, w.journal.Outcome = transition.PhaseAdmitted, r.grant.Holder, transition.OutcomeQueued
		w.journal.Times.Admitted = r.seen.Now
	}
}

func asError(err error) *candor.Error {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e
	}
	return &candor.Error{Reason: candor.ReasonOf(err), Message: err.Error()}
}

func succeeded(w *work) { w.failed = transition.Attempt{} }

// shown is the configuration as the root's own functions take it.
func (c *Configuration) shown() transition.Configuration {
	out := transition.Configuration{Index: c.Index, Leader: c.Leader}
	for _, s := range c.Servers {
		out.Servers = append(out.Servers, transition.Server{ID: s.ID, Address: s.Address, Voter: s.Voter})
	}
	return out
}
