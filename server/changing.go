package server

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	members "github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/failpoint"
	"github.com/candor-plane/candor/server/grpcapi"
)

const (
	// changeDeadline is when a change of members is overdue: it goes on, and is shown
	// as STALLED.
	changeDeadline = time.Minute
	// catchUpPause is between two looks at a server that is to have its vote.
	catchUpPause = 100 * time.Millisecond
	// longestAnswer is for how long an answer may be on its way to who asked.
	longestAnswer = 500 * time.Millisecond
)

// change has the root plan a change of members and waits until it has ended. It is
// refused at once where it could not be made as things are, and then nothing is
// planned. An error of reason OUTCOME_UNKNOWN names the transition, which goes on.
func (t *topology) change(ctx context.Context, change members.Change, expected uint64, force bool) (grpcapi.Change, error) {
	ctx, cancel := beforehand(ctx)
	defer cancel()
	proposal, c, err := t.propose(ctx, change, expected, force)
	if err != nil {
		return grpcapi.Change{}, err
	}
	if len(proposal.Steps) == 0 {
		return grpcapi.Change{Configuration: c.Index}, nil
	}
	if held := t.s.machine.View().Tenure(tenure.Duty{Name: tenure.DutyTopology}); held.Current.State != tenure.StateActive {
		return grpcapi.Change{}, candor.Errorf(candor.ReasonSchedulerDegraded, "nobody acts under duty %s now, so that no change of members would be made", tenure.DutyTopology)
	}
	failpoint.Hit("membership/request", string(change.Kind))
	id, err := t.plan(ctx, &proposal, c.Index, force)
	if err != nil {
		return grpcapi.Change{}, err
	}
	failpoint.Hit("membership/requested", string(change.Kind))
	if id == "" {
		return grpcapi.Change{Configuration: t.s.machine.View().Configuration().Index}, nil
	}
	index, err := t.ended(ctx, id, proposal.Change)
	return grpcapi.Change{Configuration: index, Transition: id}, err
}

// propose finds the steps of a change, as the members are. A server that is to have
// its vote is waited for.
func (t *topology) propose(ctx context.Context, change members.Change, expected uint64, force bool) (members.Proposal, members.Configuration, error) {
	waited, cancel := context.WithTimeout(ctx, t.s.config.Settings.CatchUpTimeout)
	defer cancel()
	for {
		c, err := (&raftMembers{t.s}).Configuration(ctx)
		if err != nil {
			return members.Proposal{}, c, err
		}
		if expected != 0 && expected != c.Index {
			return members.Proposal{}, c, candor.Errorf(candor.ReasonEpochMismatch, "the members are those of configuration %d; the request expects %d", c.Index, expected)
		}
		p, refused := members.Plan(change, c, force)
		switch {
		case refused == nil:
			return p, c, nil
		case refused.Reason != candor.ReasonNotCaughtUp || change.Kind != members.Promote:
			return p, c, refused
		}
		timer := time.NewTimer(catchUpPause)
		select {
		case <-timer.C:
		case <-waited.Done():
			timer.Stop()
			return p, c, refused
		}
	}
}

// plan puts the plan into the root in the name of whoever asks, and returns the
// transition that does it: an equal one that pends already is as good. It is empty where
// another has made it so since the members were looked at.
func (t *topology) plan(ctx context.Context, proposal *members.Proposal, configuration uint64, force bool) (string, error) {
	ch, view := &proposal.Change, t.s.machine.View()
	p := &transition.Plan{
		Kind: transition.Kind(ch.Kind), Target: ch.Server, Source: view.Token(), Configuration: configuration, Retry: retryOf(ch.Kind),
		Intent:   transition.Membership{Address: ch.Address, With: ch.With, Nonvoter: ch.Nonvoter, Force: force}.Intent(),
		Deadline: (&candidate{t.s}).Now().ClusterTime + int64(changeDeadline), Reason: "REQUESTED", Message: proposal.Risk,
	}
	who := grpcapi.PrincipalOf(ctx)
	if ch.Kind == members.Add {
		// A server joins for itself; that it may was judged before.
		p.Actor = candor.ActorSystem
		p.Message = fmt.Sprintf("asked by %s", who.Actor)
	} else {
		p.Actor = who.Actor
	}
	c := command.Plan(p, "")
	if p.Actor != candor.ActorSystem {
		c.Verified, c.Accessor = who.Verified(), who.Accessor
	}
	result, err := t.s.settled(ctx, c)
	switch {
	case err != nil:
		return "", err
	case result.Verdict == nil:
		return "", candor.Errorf(candor.ReasonInternal, "the root did not say what became of the plan")
	case result.Verdict.Phase == transition.PhaseSuperseded:
		return "", &candor.Error{Reason: candor.ReasonConflict, Subject: result.Verdict.Standing, Message: "another change of the same server ended since the members were looked at: look again"}
	default:
		return result.Verdict.Standing, nil
	}
}

// retryOf is what may be done about a change that cannot be made yet.
func retryOf(kind members.Kind) candor.RetryClass {
	switch kind {
	case members.Add, members.Promote, members.Replace:
		return candor.RetryLater
	default:
		return candor.RetryNever
	}
}

// ended waits until a transition has.
func (t *topology) ended(ctx context.Context, id string, change members.Change) (uint64, error) {
	for {
		turned := t.s.replica.Turned()
		view, changed := t.s.feed.Membership()
		ended, err := endOf(view, id)
		if err != nil || ended {
			return view.Configuration().Index, err
		}
		if goes := change.Kind == members.Remove || change.Kind == members.Replace; goes && change.Server == t.s.serverID && !t.s.replica.Leading() {
			// It may never hear the end; who leads now does.
			return 0, &candor.Error{Reason: candor.ReasonNotLeader, Subject: id, Leader: t.s.leader(), Message: "leadership was handed over, and the next leader goes on with " + id + ", by which this server goes"}
		}
		select {
		case <-changed:
		case <-turned:
		case <-t.s.stopping:
			return 0, goesOn(id, "the server stops")
		case <-ctx.Done():
			return 0, goesOn(id, "the change has not ended in time")
		}
	}
}

// beforehand ends a little before the caller's time does. A caller whose time is over
// hears no answer, and there is one: why nothing was planned, or which transition goes
// on.
func beforehand(ctx context.Context) (context.Context, context.CancelFunc) {
	until, limited := ctx.Deadline()
	if !limited {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, until.Add(-min(longestAnswer, time.Until(until)/10)))
}

// goesOn is the answer to whoever does not hear the end.
func goesOn(id, why string) error {
	return &candor.Error{Reason: candor.ReasonOutcomeUnknown, Subject: id, Message: why + ", and it goes on as transition " + id}
}

// endOf says whether a transition has ended, and as an error that it did not succeed.
func endOf(view *fsm.View, id string) (bool, error) {
	v, err := view.Get(candor.Ref{Kind: candor.KindTransitions, Name: id}, 0)
	if err != nil || v == nil {
		return true, candor.Errorf(candor.ReasonNotFound, "transition %s is gone", id)
	}
	o, err := v.Object()
	if err != nil {
		return true, err
	}
	status, bad := transition.ReadStatus(o.Status)
	switch {
	case bad != nil:
		return true, bad
	case !status.Phase.Terminal():
		return false, nil
	case status.Phase.Succeeded():
		return true, nil
	}
	reason := status.Reason
	if reason == "" {
		reason = candor.ReasonConflict
	}
	return true, &candor.Error{Reason: reason, Subject: id, Message: fmt.Sprintf("transition %s is %s: %s", id, status.Phase, status.Message)}
}
