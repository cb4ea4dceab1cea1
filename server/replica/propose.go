package replica

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// Proposal is a command to put through the log.
type Proposal struct {
	// Command is as command.AppendCommand makes it. It belongs to the replica
	// from the call on.
	Command []byte
	// Actor and RequestID are the command's, where Outcomes shall hear of it.
	Actor, RequestID string
	// ExpectedConfiguration is the index of the configuration that the request
	// was made for; 0 for any.
	ExpectedConfiguration uint64
	// Frees marks a command that makes room, such as a deletion or a compaction:
	// the quota lets it pass, and so does a short disk while it can.
	Frees bool
	// Local forbids forwarding: a server that does not lead refuses.
	Local bool

	trail *trail
}

// Propose puts a command through the log and returns what its turn did, once
// this server's view shows it. Many callers at once share log entries.
//
// The result may be a refusal by the turn (Result.Err). An error says that there
// was no turn: surely (NOT_LEADER with a hint, EPOCH_MISMATCH, CANCELED,
// TIMED_OUT, QUEUE_SATURATED, DISK_PRESSURE, QUOTA_EXCEEDED, SHUTTING_DOWN,
// INVALID, TURN_TOO_LARGE), or that it is OUTCOME_UNKNOWN. A follower forwards
// once; there ROOT_TOKEN_NOT_REACHED means that the command was accepted and
// this server's view does not show it in time.
func (r *Replica) Propose(ctx context.Context, p Proposal) (fsm.Result, error) {
	p.trail = r.trails.begin(ctx)
	result, err := r.propose(ctx, &p)
	p.trail.end(&result, err)
	return result, err
}

func (r *Replica) propose(ctx context.Context, p *Proposal) (fsm.Result, error) {
	if err := r.admit(ctx, p); err != nil {
		return fsm.Result{}, err
	}
	w := newPending(&r.pendings, p.Command)
	w.request, w.trail = r.Outcomes.find(p.Actor, p.RequestID), p.trail
	if err := r.queue.push(w); err != nil {
		w.recycle()
		if err.Reason == candor.ReasonNotLeader && !p.Local {
			return r.forward(ctx, p)
		}
		return fsm.Result{}, r.hinted(err)
	}
	p.trail.queued()
	select {
	case <-w.done:
		return r.settle(w)
	case <-ctx.Done():
	case <-r.abandoned:
	}
	switch {
	case r.queue.leave(w):
		if ctx.Err() == nil {
			return fsm.Result{}, errStopping
		}
		return fsm.Result{}, ended(ctx, "while the command waited for the log: it is not done")
	case w.state.CompareAndSwap(stateEntered, stateGone):
		return fsm.Result{}, candor.Errorf(candor.ReasonOutcomeUnknown, "%s while the command was on its way through the log: ask for its outcome by request ID", cause(ctx))
	default:
		<-w.done
		return r.settle(w)
	}
}

func (r *Replica) settle(w *pending) (fsm.Result, error) {
	result, err := w.result, w.err
	w.recycle()
	if err == nil {
		return result, nil
	}
	var e *candor.Error
	if errors.As(err, &e) && e.Reason == candor.ReasonNotLeader {
		return fsm.Result{}, r.hinted(e)
	}
	return fsm.Result{}, err
}

// admit refuses what must not reach the log. Here is the only place for it.
func (r *Replica) admit(ctx context.Context, p *Proposal) error {
	if ctx.Err() != nil {
		return ended(ctx, "before the command was looked at: it is not done")
	}
	if err := r.failure.cause(); err != nil {
		return candor.Errorf(candor.ReasonUnavailable, "the server must stop: %w", err)
	}
	switch size, most := len(p.Command), r.settings.MaxEntryBytes-entryOverhead-commandOverhead; {
	case size == 0:
		return candor.Errorf(candor.ReasonInvalid, "the command is empty")
	case size > most:
		return candor.Errorf(candor.ReasonTurnTooLarge, "the command has %d bytes; an entry of the log holds %d", size, most)
	}
	if r.leading.Load() == nil {
		// The queue says what can be done, and the leader admits.
		return nil
	}
	if now := r.track.latest().Index; p.ExpectedConfiguration != 0 && p.ExpectedConfiguration != now {
		return candor.Errorf(candor.ReasonEpochMismatch, "the members are those of configuration %d; the request expects %d", now, p.ExpectedConfiguration)
	}
	if err := r.disk.admit(p.Frees); err != nil {
		return err
	}
	if quota := r.settings.QuotaBytes; quota > 0 && !p.Frees {
		if bytes := r.machine.View().Stats().Bytes; bytes >= quota {
			return candor.Errorf(candor.ReasonQuotaExceeded, "the state holds %d bytes; its quota is %d: delete something or raise the quota", bytes, quota)
		}
	}
	return nil
}

// forward has the leader do it, and answers once this server's own view shows
// what was done.
func (r *Replica) forward(ctx context.Context, p *Proposal) (fsm.Result, error) {
	address, id := r.raft.LeaderWithID()
	if id == "" || string(id) == r.serverID {
		return fsm.Result{}, r.hinted(errNotLeading)
	}
	if c := r.track.latest(); len(c.Servers) > 0 {
		// One that was removed would never see what became of it.
		if _, member := c.Find(raft.ServerID(r.serverID)); !member {
			return fsm.Result{}, r.hinted(errNotLeading)
		}
	}
	request := r.Outcomes.find(p.Actor, p.RequestID)
	request.went()
	asking, done := r.reign.during(ctx, id)
	answer, err := r.askLeader(asking, raft.Server{ID: id, Address: address}, r.raft.CurrentTerm(), p)
	deposed := asking.Err() != nil && ctx.Err() == nil
	done()
	if deposed && err != nil {
		err = errNewReign
	}
	if err != nil {
		if _, ok := errors.AsType[*candor.Error](err); !ok {
			err = candor.Errorf(candor.ReasonOutcomeUnknown, "the leader %s was asked and did not answer: %w", id, err)
		}
		request.hears(candor.Token{}, nil, err)
		return fsm.Result{}, err
	}
	late := r.applied.wait(ctx, answer.Token.Index)
	result, err := fsm.DecodeResult(answer.Result, r.machine.View())
	if err != nil {
		return result, candor.Wrap("decode the leader's answer", err)
	}
	if late == nil || result.Reason != "" {
		request.hears(candor.Token{}, &result, nil)
		return result, nil
	}
	request.hears(answer.Token, &result, nil)
	return fsm.Result{}, &candor.Error{
		Reason: candor.ReasonRootTokenNotReached, Revision: answer.Token.Revision, Err: late,
		Message: fmt.Sprintf("the leader did the command at %s; this server's view is at %s", answer.Token, r.machine.View().Token()),
	}
}

var errNewReign = errors.New("another server leads meanwhile")

// ServeForward proposes on behalf of a follower: one hop, never two.
func (r *Replica) ServeForward(ctx context.Context, data []byte, term, expectedConfiguration uint64) (ForwardAnswer, error) {
	result, err := r.proposeForwarded(ctx, data, term, expectedConfiguration)
	r.Admissions.Count(candor.AdmitWrite, err)
	if err != nil {
		return ForwardAnswer{}, err
	}
	return ForwardAnswer{Token: result.Token, Result: fsm.AppendResult(nil, &result, r.machine.View())}, nil
}

func (r *Replica) proposeForwarded(ctx context.Context, data []byte, term, expectedConfiguration uint64) (fsm.Result, error) {
	if lead := r.leading.Load(); lead == nil || term != 0 && term != lead.term {
		return fsm.Result{}, r.hinted(errNotLeading)
	}
	p := Proposal{Command: data, ExpectedConfiguration: expectedConfiguration, Local: true}
	if p.Actor, p.RequestID = command.RequestOf(data); p.RequestID == "" {
		return r.Propose(ctx, p)
	}
	r.Outcomes.Begin(p.Actor, p.RequestID)
	result, err := r.Propose(ctx, p)
	became, _ := becameOf(&result, err)
	if became.Outcome == candor.OutcomeApplied {
		became = Became{}
	}
	r.Outcomes.End(p.Actor, p.RequestID, became.Outcome, became.Reason)
	return result, err
}

// hinted adds where the leader is believed to be.
func (r *Replica) hinted(err *candor.Error) error {
	e := *err
	e.Leader = r.Leader()
	return &e
}

// ended says that the caller's context did, and what that means.
func ended(ctx context.Context, meaning string) error {
	reason := candor.ReasonTimedOut
	if errors.Is(ctx.Err(), context.Canceled) {
		reason = candor.ReasonCanceled
	}
	return candor.Errorf(reason, "%s %s", cause(ctx), meaning)
}

func cause(ctx context.Context) string {
	switch err := ctx.Err(); {
	case err == nil:
		return "the server stopped"
	case errors.Is(err, context.Canceled):
		return "the caller cancelled"
	default:
		return "the deadline passed"
	}
}
