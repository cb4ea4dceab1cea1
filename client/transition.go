package client

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Transitions are the changes of several steps: those of the members, above all. Each
// is an object too, kind transitions.candor, which only the root writes.
type Transitions struct{ client *Client }

// Transitions returns the operations on them.
func (c *Client) Transitions() *Transitions { return &Transitions{client: c} }

// TransitionTimes are when each phase began, in cluster time in nanoseconds; 0 where
// that is not known.
type TransitionTimes struct {
	Planned   int64 `json:"planned,omitempty"`
	Admitted  int64 `json:"admitted,omitempty"`
	Executing int64 `json:"executing,omitempty"`
	Applied   int64 `json:"applied,omitempty"`
	Ended     int64 `json:"ended,omitempty"`
}

// Stalled says why a transition stands still. Instants are cluster times.
type Stalled struct {
	Cause    string `json:"cause"`
	Since    int64  `json:"since"`
	Deadline int64  `json:"deadline"`
	// NextAction is what will move it; OPERATOR where nothing does by itself.
	NextAction string `json:"nextAction"`
}

// Transition is one change: what was planned, and where it stands.
type Transition struct {
	ID string `json:"id"`
	// Kind is member-add, member-promote, member-remove, member-replace or
	// leader-transfer; Target a server ID, TargetName its name while it is a member.
	Kind       string          `json:"kind"`
	Target     string          `json:"target"`
	TargetName string          `json:"targetName,omitempty"`
	Intent     json.RawMessage `json:"intent,omitempty"`
	// Phase is PLANNED, ADMITTED, EXECUTING or APPLIED, or how it ended.
	Phase    string          `json:"phase"`
	Times    TransitionTimes `json:"times"`
	Deadline int64           `json:"deadline,omitempty"`
	// Executor is the holder that works on it, or did.
	Executor     string `json:"executor,omitempty"`
	Attempts     uint32 `json:"attempts,omitempty"`
	Outcome      string `json:"outcome,omitempty"`
	PublishState string `json:"publishState,omitempty"`
	RetryClass   string `json:"retryClass,omitempty"`
	// Reason and Message are why it ended as it did, or what the last attempt met.
	Reason       candor.Reason `json:"reason,omitempty"`
	Message      string        `json:"message,omitempty"`
	SupersededBy string        `json:"supersededBy,omitempty"`
	// Parent is what it is a step of.
	Parent string `json:"parent,omitempty"`
	// Actor, PlanReason and PlanMessage are who planned it and why. What force made of
	// the plan is in PlanMessage.
	Actor              string `json:"actor,omitempty"`
	PlanReason         string `json:"planReason,omitempty"`
	PlanMessage        string `json:"planMessage,omitempty"`
	PlannedRevision    uint64 `json:"plannedRevision"`
	ConfigurationIndex uint64 `json:"configurationIndex,omitempty"`
	Duty               string `json:"duty,omitempty"`
	Era                uint64 `json:"era,omitempty"`
	// Stalled is nil within its time, and after its end.
	Stalled *Stalled `json:"stalled,omitempty"`
}

// Ended says that nothing follows.
func (t *Transition) Ended() bool {
	switch t.Phase {
	case "PLANNED", "ADMITTED", "EXECUTING", "APPLIED":
		return false
	default:
		return true
	}
}

// Succeeded says that it has ended, and that what was asked for is so.
func (t *Transition) Succeeded() bool { return t.Phase == "PUBLISHED" || t.Phase == "COMPLETED" }

// Failure is nil of one that succeeded or has not ended, else why it did not. Its
// subject is the transition.
func (t *Transition) Failure() error {
	if !t.Ended() || t.Succeeded() {
		return nil
	}
	reason := t.Reason
	if !reason.Known() {
		reason = candor.ReasonConflict
	}
	message := "transition " + t.ID + " is " + t.Phase
	if t.Message != "" {
		message += ": " + t.Message
	}
	return &candor.Error{Reason: reason, Subject: t.ID, Message: message}
}

// TransitionList is what one node knows, the newest first.
type TransitionList struct {
	Transitions []Transition `json:"transitions"`
	// Truncated: there are more.
	Truncated bool `json:"truncated,omitempty"`
	// ClusterTime is about what it is now, in nanoseconds.
	ClusterTime int64           `json:"clusterTime,string"`
	Witness     *candor.Witness `json:"witness,omitempty"`
}

// List asks who is known to lead, else any node, or with OnEndpoint that one; pending
// leaves out those that have ended. Of the options only that and WithoutSession apply:
// the answer is the node's own word. Of work under way only the node that does it, which
// mostly leads, knows the phase: others show it as PLANNED.
func (k *Transitions) List(ctx context.Context, pending bool, options ...ReadOption) (*TransitionList, error) {
	list, err := k.ask(ctx, &candorv1.TransitionsRequest{Pending: pending}, options)
	return list, candor.Wrap("transitions", err)
}

// Get is List of one; NOT_FOUND where there is none of this ID.
func (k *Transitions) Get(ctx context.Context, id string, options ...ReadOption) (*TransitionList, error) {
	if id == "" {
		return nil, candor.Errorf(candor.ReasonInvalid, "transition: want an ID")
	}
	list, err := k.ask(ctx, &candorv1.TransitionsRequest{Id: id}, options)
	if err == nil && len(list.Transitions) != 1 {
		err = breach(id, "asked for transition %s, a node answered with %d", id, len(list.Transitions))
	}
	if err != nil {
		return nil, candor.Wrap("transition "+id, err)
	}
	return list, nil
}

func (k *Transitions) ask(ctx context.Context, in *candorv1.TransitionsRequest, options []ReadOption) (*TransitionList, error) {
	out := new(candorv1.TransitionsResponse)
	w, err := k.client.Cluster().askAt(ctx, toLeader, candorv1.TransitionService_Transitions_FullMethodName, in, out, options)
	if err != nil {
		return nil, err
	}
	list := &TransitionList{Truncated: out.GetTruncated(), ClusterTime: out.GetClusterTime(), Witness: w, Transitions: []Transition{}}
	for _, x := range out.GetTransitions() {
		list.Transitions = append(list.Transitions, transitionShown(x))
	}
	return list, nil
}

// Cancel gives one up, and returns how it stands then. It is refused (CONFLICT) once the
// root shows that it has happened. It may be repeated.
func (k *Transitions) Cancel(ctx context.Context, id, reason string) (*Transition, error) {
	out := new(candorv1.CancelTransitionResponse)
	r := request{
		method: candorv1.TransitionService_CancelTransition_FullMethodName, in: &candorv1.CancelTransitionRequest{Id: id, Reason: reason}, out: out,
		route: toLeader, effect: true, repeatable: true, subject: id,
	}
	if _, err := k.client.inquire(ctx, &r, k.client.session, out); err != nil {
		return nil, candor.Wrap("cancel transition "+id, err)
	}
	t := transitionShown(out.GetTransition())
	return &t, nil
}

// Wait returns a transition once it has ended, however: see Failure. It watches the
// object until ctx ends, TIMED_OUT or CANCELED, whatever was met last; that gives
// nothing up.
func (k *Transitions) Wait(ctx context.Context, id string, options ...ReadOption) (*Transition, error) {
	t, err := k.wait(ctx, id, options)
	switch {
	case err == nil:
	case errors.Is(ctx.Err(), context.Canceled):
		err = &candor.Error{Reason: candor.ReasonCanceled, Subject: id, Message: "the caller gave up, and it has not ended", Err: err}
	case ctx.Err() != nil:
		err = &candor.Error{Reason: candor.ReasonTimedOut, Subject: id, Message: "the deadline passed, and it has not ended", Err: err}
	}
	return t, candor.Wrap("wait for transition "+id, err)
}

func (k *Transitions) wait(ctx context.Context, id string, options []ReadOption) (*Transition, error) {
	ref := candor.Ref{Kind: candor.KindTransitions, Name: id}
	for {
		object, w, err := k.client.Get(ctx, ref, options...)
		if err != nil {
			return nil, err
		}
		t, err := TransitionOf(object)
		if err != nil || t.Ended() {
			return t, err
		}
		t, err = k.follow(ctx, id, w.ServedToken.Revision, options)
		if candor.ReasonOf(err) != candor.ReasonCompacted {
			return t, err
		}
	}
}

func (k *Transitions) follow(ctx context.Context, id string, after uint64, options []ReadOption) (t *Transition, err error) {
	watch, err := k.client.Watch(ctx, WatchOptions{Kind: candor.KindTransitions, Name: id, AfterRevision: after, Read: options})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, watch.Close()) }()
	for {
		batch, err := watch.Next(ctx)
		if err != nil {
			return nil, err
		}
		for _, event := range batch.Events {
			if event.Type == candor.EventDeleted {
				return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: id, Message: "transition " + id + " is gone"}
			}
			if t, err := TransitionOf(event.Object); err != nil || t.Ended() {
				return t, err
			}
		}
	}
}

// TransitionOf reads the object of a transition: what the root says of it, without the
// work of executors and without names. Otherwise the error's reason is DATA_CORRUPT.
func TransitionOf(o *candor.Object) (*Transition, error) {
	t, err := planned(o.Spec)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "plan of transition %s: %w", o.Metadata.Name, err)
	}
	if err := json.Unmarshal(o.Status, t); err != nil {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "status of transition %s: %w", o.Metadata.Name, err)
	}
	t.ID = o.Metadata.Name
	return t, nil
}

// planned reads a plan. Some of its members are called as others of the status are.
func planned(spec []byte) (*Transition, error) {
	t := new(Transition)
	var own struct {
		Reason        string `json:"reason"`
		Message       string `json:"message"`
		Configuration uint64 `json:"configuration"`
		PlannedAt     int64  `json:"plannedAt"`
	}
	if err := errors.Join(json.Unmarshal(spec, t), json.Unmarshal(spec, &own)); err != nil {
		return nil, err
	}
	t.Reason, t.Message = "", ""
	t.PlanReason, t.PlanMessage, t.ConfigurationIndex, t.Times.Planned = own.Reason, own.Message, own.Configuration, own.PlannedAt
	return t, nil
}

func transitionShown(x *candorv1.Transition) Transition {
	t := Transition{
		ID: x.GetId(), Kind: x.GetKind(), Target: x.GetTarget(), TargetName: x.GetTargetName(), Intent: x.GetIntent(), Phase: x.GetPhase(),
		Times: TransitionTimes{
			Planned: x.GetPlannedAt(), Admitted: x.GetAdmittedAt(), Executing: x.GetExecutingAt(), Applied: x.GetAppliedAt(), Ended: x.GetEndedAt(),
		},
		Deadline: x.GetDeadline(), Executor: x.GetExecutor(), Attempts: x.GetAttempts(), Outcome: x.GetOutcome(), PublishState: x.GetPublishState(),
		RetryClass: x.GetRetryClass(), Reason: candor.Reason(x.GetReason()), Message: x.GetMessage(), SupersededBy: x.GetSupersededBy(),
		Parent: x.GetParent(), Actor: x.GetActor(), PlanReason: x.GetPlanReason(), PlanMessage: x.GetPlanMessage(),
		PlannedRevision: x.GetPlannedRevision(), ConfigurationIndex: x.GetConfigurationIndex(), Duty: x.GetDuty(), Era: x.GetEra(),
	}
	if s := x.GetStalled(); s != nil {
		t.Stalled = &Stalled{Cause: s.GetCause(), Since: s.GetSince(), Deadline: s.GetDeadline(), NextAction: s.GetNextAction()}
	}
	return t
}

// TransitionIn is the ID of the transition that an error of a change of members names:
// that of OUTCOME_UNKNOWN goes on. Empty where it names none.
func TransitionIn(err error) string {
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || !isTransition(e.Subject) {
		return ""
	}
	return e.Subject
}

// isTransition says whether a subject is the ID of a transition: a kind, and 96 bits in
// hex.
func isTransition(subject string) bool {
	const digits = 24
	at := strings.LastIndexByte(subject, '-')
	if at <= 0 || len(subject)-at-1 != digits {
		return false
	}
	_, err := hex.DecodeString(subject[at+1:])
	return err == nil
}
