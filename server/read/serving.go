package read

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/internal/zoo"
	"github.com/candor-plane/candor/rpc/tracing"
)

// serving is one read on its way.
type serving struct {
	reader  *Reader
	asked   *candor.ReadRequest
	request *freshness.Request

	node   freshness.Node
	view   *fsm.View
	seen   Observed
	newest Proof
	// proven is nil without any proof.
	proven *proven
	// cause is why the last thing that was tried failed.
	cause error
	// probed is the proof that the read asked for.
	probed Proof
}

// proven is what the proofs say of a view. Its witness points into it.
type proven struct {
	bound   freshness.Proof
	lag     uint64
	current candor.Token
}

// look takes the newest view and looks at the node as it is with it.
func (s *serving) look() { s.observe(s.reader.config.Machine.View()) }

// confirmsFirst looks only as far as it takes to say that the rules want a
// confirmation of a STRONG read: what else they look at is looked at after it.
func (s *serving) confirmsFirst() bool {
	n := &s.node
	if s.request.Class != candor.FreshnessStrong || n.ReadIndex.Step != freshness.NotYet {
		return false
	}
	r := s.reader
	s.view, s.seen = r.config.Machine.View(), r.config.Node.Observe()
	n.Applied = s.view.Token()
	n.View, n.Leads = n.Applied.Index > 0, s.seen.Leads
	if why, _ := r.config.Trust.ViewOnly(); why != "" {
		return false
	}
	return freshness.Decide(s.request, n).Do == freshness.Confirm
}

// observe is look for a given view.
func (s *serving) observe(view *fsm.View) {
	r := s.reader
	s.view, s.seen = view, r.config.Node.Observe()
	n := &s.node
	n.Applied = view.Token()
	n.View = n.Applied.Index > 0
	if n.ReadIndex.Step != freshness.Done {
		// A read index is of the node that established it.
		n.Leads = s.seen.Leads
	}
	held, newest, anyHeld, known := r.proofs.look(n.Applied.Index)
	s.newest, s.proven = newest, nil
	n.Proof, n.Lag = nil, nil
	o := freshness.Observation{
		Applied: n.Applied.Index, LastLog: s.seen.LastLog, Recovering: !r.recoveredBy(&s.seen, n.Applied.Index),
		Installing: s.seen.Installing, LeaderFirst: newest.First, Leader: s.seen.LeaderKnown, Draining: s.seen.Draining,
	}
	if s.seen.Leads {
		o.LeaderFirst = 0
	}
	if known {
		// What the leader's view had is of the root too.
		root := max(newest.Index, newest.Root.Index)
		p := &proven{lag: root - min(root, n.Applied.Index), current: newest.Root}
		if n.Applied.Index >= newest.Root.Index {
			p.current = n.Applied
		}
		s.proven, n.Lag, o.Lag = p, &p.lag, &p.lag
	}
	if zoo.Enabled && zoo.Has(zoo.LagZeroUnknown) && !known {
		n.Lag = new(uint64)
	}
	if anyHeld {
		age := r.config.Root.Elapsed(held.Began)
		s.proven.bound = freshness.Proof{Age: age, Current: age <= r.config.Policy.Window}
		n.Proof, o.ProofAge = &s.proven.bound, &s.proven.bound.Age
	}
	o.ViewOnly, o.Reloading = r.config.Trust.ViewOnly()
	n.Condition = freshness.Assess(&o, &r.config.Policy)
}

// recoveredBy says whether the view has ever been back where it was before the
// start, or where the first proof was.
func (r *Reader) recoveredBy(o *Observed, applied uint64) bool {
	if r.recovered.Load() {
		return true
	}
	if !o.Recovered && !r.proofs.passedFirst(applied) {
		return false
	}
	r.recovered.Store(true)
	return true
}

// confirm establishes a read index. What keeps the rules from deciding is
// returned.
func (s *serving) confirm(ctx context.Context) error {
	root := s.reader.config.Root
	ask := root.Prove
	if s.node.Leads {
		ask = root.Confirm
	}
	ctx, span := tracing.Step(ctx, tracing.StepConfirm)
	p, err := ask(ctx)
	tracing.End(span, err)
	s.reader.settle(p, err)
	if err != nil {
		s.node.ReadIndex.Step, s.cause = freshness.Failed, err
		return s.unlessDecided(err)
	}
	s.node.ReadIndex = freshness.ReadIndex{Step: freshness.Done, Index: p.Index}
	return nil
}

// probe asks for a proof, once, and for no longer than a few beacons: a caller
// whose node is cut off shall know it in time to ask another.
func (s *serving) probe(ctx context.Context) error {
	ctx, span := tracing.Step(ctx, tracing.StepProbe)
	answerable, done := inTime(ctx)
	defer done()
	bounded, cancel := context.WithTimeout(answerable, probeBeacons*s.reader.config.Beacon)
	defer cancel()
	p, err := s.reader.config.Root.Prove(bounded)
	tracing.End(span, err)
	s.reader.settle(p, err)
	if err != nil {
		s.node.Probe.Step, s.cause = freshness.Failed, err
		return s.unlessDecided(err)
	}
	s.probed = p
	s.node.Probe = freshness.Probe{Step: freshness.Done, Index: p.Index}
	return nil
}

// unlessDecided keeps an error that says more than the rules would.
func (s *serving) unlessDecided(err error) error {
	if final(err) && (s.request.Class == candor.FreshnessStrong || candor.ReasonOf(err) != candor.ReasonNotLeader) {
		return err
	}
	return nil
}

// settle takes what a probe or a confirmation found.
func (r *Reader) settle(p Proof, err error) {
	r.counts.probes.Add(1)
	if err == nil {
		if r.failure.Load() != nil {
			r.failure.Store(nil)
		}
		r.config.Trust.Removed(false)
		r.Note(p)
		return
	}
	if final(err) {
		return
	}
	r.counts.failed.Add(1)
	if candor.ReasonOf(err) == candor.ReasonTimedOut {
		// The caller's time was short: that says nothing of the root.
		return
	}
	if candor.ReasonOf(err) == candor.ReasonNotAMember {
		r.config.Trust.Removed(true)
	}
	if e, ok := errors.AsType[*candor.Error](err); ok {
		r.failure.Store(e)
	}
}

// wait waits for an index until the caller's deadline. After it, a proof that
// was good enough may be too old: another may be asked for.
func (s *serving) wait(ctx context.Context, index uint64) error {
	err := s.sameHistory()
	if err == nil {
		bounded, cancel := inTime(ctx)
		err = s.reader.config.Root.WaitApplied(bounded, index)
		cancel()
	}
	switch {
	case err == nil:
		s.node.Probe = freshness.Probe{}
		return nil
	case candor.ReasonOf(err) == candor.ReasonTimedOut:
		s.node.Waited, s.cause = true, err
		return nil
	default:
		return err
	}
}

// probeBeacons bounds an inline probe, in intervals of the beacon.
const probeBeacons = 3

// answerMargin is how much of a caller's time is kept for telling it that the
// wait was in vain: an answer at the deadline comes too late.
const answerMargin = 50 * time.Millisecond

// inTime is a context that leaves time for the answer.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-min(answerMargin, time.Until(deadline)/10)))
}

// waitWithin waits for the probe's index while it is worth anything.
func (s *serving) waitWithin(ctx context.Context, index uint64) error {
	root := s.reader.config.Root
	left := s.request.MaxStaleness - root.Elapsed(s.probed.Began)
	if left <= 0 {
		s.node.Waited = true
		return nil
	}
	answerable, done := inTime(ctx)
	defer done()
	bounded, cancel := context.WithTimeout(answerable, left)
	defer cancel()
	err := root.WaitApplied(bounded, index)
	if candor.ReasonOf(err) == candor.ReasonTimedOut {
		s.node.Waited, s.cause = true, err
		return nil
	}
	return err
}

// sameHistory refuses a token of another past before anyone waits for it.
func (s *serving) sameHistory() error {
	if s.asked.Required.IsZero() {
		return nil
	}
	return s.asked.Required.CheckHistory(s.view.ClusterID(), s.view.HistoryID())
}

func (s *serving) serve(v freshness.Verdict) (*fsm.View, candor.Witness, error) {
	err := s.sameHistory()
	if err == nil && s.asked.AtRevision != 0 {
		err = s.view.Readable(s.asked.AtRevision)
	}
	if err != nil {
		return s.refuse(err)
	}
	s.reader.counts.served(s.request.Class, v.Mechanism)
	if freshness.Unwitnessed {
		return s.view, candor.Witness{}, nil
	}
	w := s.witness()
	w.Requested, w.Served, w.Class, w.Mechanism = s.request.Class, s.request.Class, v.Class, v.Mechanism
	if zoo.Enabled && zoo.Has(zoo.BestEffortFresh) && w.Class == candor.ServingDegraded {
		w.Class, w.Mechanism = candor.ServingBoundedStale, candor.MechanismProvenView
	}
	w.ServedByLeader = s.node.Leads && v.Mechanism == candor.MechanismLeaderReadIndex
	return s.view, w, nil
}

func (s *serving) refuse(err error) (*fsm.View, candor.Witness, error) {
	if s.node.Condition.Mode == "" {
		s.look()
	}
	w := s.witness()
	w.Requested = s.request.Class
	return nil, w, refuse(err, &w)
}

// witness is what is known of the view.
func (s *serving) witness() candor.Witness {
	id, n := &s.reader.config.Identity, &s.node
	w := candor.Witness{
		NodeID: id.NodeID, NodeName: id.NodeName, BootID: bootOf(id.BootID, s.view),
		ClusterID: s.view.ClusterID(), HistoryID: s.view.HistoryID(),
		ServedToken: n.Applied, Leader: s.reader.config.Node.Leader(), ClusterTime: s.view.ClusterTime(), ViewUpdatedAt: s.seen.UpdatedAt,
		RootLag: n.Lag, CatchUp: n.Condition.CatchUp, CatchUpAction: n.Condition.Action,
		Mode: n.Condition.Mode, DegradedReason: string(n.Condition.Reason), SyncHealth: n.Condition.Sync(n.Lag),
		PolicyRevision: s.view.PolicyRevision(),
	}
	if n.Proof != nil {
		w.StalenessBound = &n.Proof.Age
	}
	if s.proven != nil {
		w.CurrentToken = &s.proven.current
	}
	if !n.View {
		// Before the first entry nobody knows which history this will be.
		w.HistoryID = ""
	}
	return w
}

// bootOf is the boot's ID; another one for views after a rewind, since tokens
// never go back within a boot.
func bootOf(boot string, view *fsm.View) string {
	if n := view.Rewinds(); n > 0 {
		return boot + "." + strconv.FormatUint(n, 10)
	}
	return boot
}

// rejection is the refusal of a verdict, in words.
func (s *serving) rejection(v freshness.Verdict) error {
	e := &candor.Error{Reason: v.Reason, Revision: s.node.Applied.Revision, Err: s.cause}
	q, n := s.request, &s.node
	switch v.Reason {
	case candor.ReasonViewUnavailable:
		e.Message = "this node has no view yet: it has applied nothing"
	case candor.ReasonViewOnly:
		e.Message = fmt.Sprintf("this node is VIEW_ONLY (%s) and serves BEST_EFFORT alone", n.Condition.Reason)
	case candor.ReasonNotLeader:
		e.Message = "this node does not lead; STRONG reads are the leader's, or a follower's that may ask it"
	case candor.ReasonBootstrapRequired, candor.ReasonRecovering:
		e.Message = fmt.Sprintf("the view is at %s and the node is %s (%s)", n.Applied, n.Condition.CatchUp, n.Condition.Action)
	case candor.ReasonStalenessExceeded:
		e.Message = fmt.Sprintf("the view at %s %s; the read allows %s", n.Applied, s.bound(), q.MaxStaleness)
	case candor.ReasonRootUnavailable:
		e.Message = fmt.Sprintf("this node %s and has no proof that is young enough; the read allows %s", s.bound(), q.MaxStaleness)
	case candor.ReasonRootLagExceeded:
		e.Message = fmt.Sprintf("the view at %s misses at least %d entries of the root; the read allows %d", n.Applied, *n.Lag, *q.MaxLag)
	case candor.ReasonRootTokenNotReached:
		want := fmt.Sprintf("index %d, which the read must hold,", n.ReadIndex.Index)
		if q.Required.Index > n.Applied.Index {
			want = "the required token " + q.Required.String()
		}
		e.Message = fmt.Sprintf("the view is at %s and did not reach %s in time", n.Applied, want)
	case candor.ReasonTokenConflict:
		if err := s.sameHistory(); err != nil {
			return err
		}
		e.Message = fmt.Sprintf("the view at %s has passed index %d without revision %d: the token is not of this history", n.Applied, q.Required.Index, q.Required.Revision)
	default:
		e.Message = "refused"
	}
	if s.cause != nil {
		e.Message += ": " + s.cause.Error()
	}
	return e
}

// bound says what is proven of the view's age.
func (s *serving) bound() string {
	if s.node.Proof == nil {
		return "has proven nothing yet"
	}
	return "was last proven " + s.node.Proof.Age.Round(time.Millisecond).String() + " ago"
}
