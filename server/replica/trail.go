package replica

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/rpc/tracing"
)

// trail is the moments of a traced proposal on its way through queue, log and
// state machine. Lanes and state machine only note them; the caller makes spans
// of them once it is answered. The methods do nothing for nil, which is the
// trail of a proposal that is not traced.
type trail struct {
	ctx    context.Context //nolint:containedctx // the caller's: the spans go below its own
	trails *trails
	began  time.Time
	// admittedAt is when the proposal was queued; away, that it was forwarded
	// instead. The caller's goroutine alone uses both.
	admittedAt time.Time
	away       bool
	// takenAt is how long after began a lane took the proposal, plus one
	// nanosecond; 0 when none has.
	takenAt atomic.Int64
	// entry is set, complete, before the lane answers.
	entry atomic.Pointer[entryTrail]
}

// begin is nil unless the span of ctx is recorded. What it returns must end.
func (t *trails) begin(ctx context.Context) *trail {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return nil
	}
	t.live.Add(1)
	return &trail{ctx: ctx, trails: t, began: time.Now()}
}

// queued: the proposal waits for a lane.
func (t *trail) queued() {
	if t != nil {
		t.admittedAt = time.Now()
	}
}

// taken: a lane takes the proposal, unless its caller leaves at this moment.
func (t *trail) taken() {
	if t != nil {
		t.takenAt.Store(int64(time.Since(t.began)) + 1)
	}
}

// leaves: the leader will do it.
func (t *trail) leaves() {
	if t != nil {
		t.away = true
		t.record(tracing.StepAdmission, t.began, time.Now(), "")
	}
}

// askLeader forwards a proposal. The span goes along: the leader's are below it.
func (r *Replica) askLeader(ctx context.Context, leader raft.Server, term uint64, p *Proposal) (ForwardAnswer, error) {
	p.trail.leaves()
	ctx, span := tracing.Step(ctx, tracing.StepForward)
	answer, err := r.peers.Forward(ctx, leader, term, p.Command, p.ExpectedConfiguration)
	if span.IsRecording() {
		span.SetAttributes(tracing.LeaderID.String(string(leader.ID)), tracing.Term.Int64(int64(term)))
	}
	tracing.End(span, err)
	return answer, err
}

// end records the spans of what Propose answers.
func (t *trail) end(result *fsm.Result, err error) {
	if t == nil {
		return
	}
	t.trails.live.Add(-1)
	if t.away {
		return
	}
	now, reason := time.Now(), candor.ReasonOf(err)
	if t.admittedAt.IsZero() {
		t.record(tracing.StepAdmission, t.began, now, reason)
		return
	}
	admitted, taken := t.admittedAt, now
	offset := t.takenAt.Load()
	if offset != 0 {
		taken = t.began.Add(time.Duration(offset - 1))
	}
	if taken.Before(admitted) {
		admitted = taken // a lane was faster than the caller's clock
	}
	t.record(tracing.StepAdmission, t.began, admitted, "")
	if offset == 0 {
		t.record(tracing.StepQueue, admitted, now, reason)
		return
	}
	t.record(tracing.StepQueue, admitted, taken, "")
	t.throughLog(taken, now, result, reason)
}

// throughLog records what became of a proposal that a lane took.
func (t *trail) throughLog(taken, now time.Time, result *fsm.Result, reason candor.Reason) {
	e := t.entry.Load()
	if e == nil {
		t.record(tracing.StepPropose, taken, now, reason)
		return
	}
	entry := []attribute.KeyValue{tracing.Term.Int64(int64(e.term)), tracing.Commands.Int(e.commands), tracing.Bytes.Int(e.bytes)}
	if e.index != 0 {
		entry = append(entry, tracing.Index.Int64(int64(e.index)))
	}
	t.record(tracing.StepPropose, taken, e.sent, "", entry...)
	if e.applying.from.IsZero() {
		t.record(tracing.StepCommit, e.sent, e.answered, reason)
		return
	}
	t.record(tracing.StepCommit, e.sent, e.applying.from, "", tracing.Index.Int64(int64(e.index)))
	if reason == "" {
		reason = result.Reason
	}
	t.record(tracing.StepApply, e.applying.from, e.applying.to, reason, tracing.Index.Int64(int64(e.index)),
		tracing.Revision.Int64(int64(result.Token.Revision)), tracing.Changed.Bool(result.Changed), tracing.Replayed.Bool(result.Replayed))
}

func (t *trail) record(name string, from, to time.Time, reason candor.Reason, attributes ...attribute.KeyValue) {
	tracing.Record(t.ctx, tracing.Past{Name: name, From: from, To: to, Reason: reason, Attributes: attributes})
}
