// Package read decides how a read is served and says so. It captures one
// immutable view after all waits and fills the witness with what is proven of
// it; what is not proven stays absent.
//
// It guarantees that a STRONG answer contains everything acknowledged before
// the read began (the leader's read index and a confirmed majority), and that
// an answer covers the token it was asked for. It refuses with a reason, never
// with a weaker class. grpcapi calls it; it may be called concurrently.
package read

import (
	"context"
	"errors"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Root is what this package needs of the replica.
type Root interface {
	// ReadIndex confirms leadership with a majority. The index covers every write
	// acknowledged before began, a moment after the call on a clock that goes on
	// while the machine is suspended.
	ReadIndex(ctx context.Context) (index uint64, began time.Duration, err error)
	// Elapsed is how long ago a moment of that clock was.
	Elapsed(since time.Duration) time.Duration
	// WaitApplied returns once the view has applied index.
	WaitApplied(ctx context.Context, index uint64) error
	// Leader is where the leader is believed to be; nil when not known.
	Leader() *candor.LeaderHint
	// Leading says whether this node believes that it leads.
	Leading() bool
}

// Identity is what every witness of this node says.
type Identity struct {
	NodeID, NodeName, BootID string
}

// Reader serves views.
type Reader struct {
	identity Identity
	machine  *fsm.Machine
	root     Root
}

// New returns a Reader.
func New(identity Identity, machine *fsm.Machine, root Root) *Reader {
	if machine == nil || root == nil || identity.NodeID == "" || identity.BootID == "" {
		panic("read: machine, root, node ID and boot ID are required")
	}
	return &Reader{identity: identity, machine: machine, root: root}
}

// View waits as the contract asks and returns the view with its witness, or an
// *Error that carries the witness of the refusal.
func (r *Reader) View(ctx context.Context, q candor.ReadRequest) (*fsm.View, candor.Witness, error) {
	if q.Freshness == "" {
		q.Freshness = candor.FreshnessStrong
	}
	p, err := r.prove(ctx, q)
	if err == nil {
		err = r.reach(ctx, q)
	}
	view := r.machine.View()
	if err == nil && p.confirmed {
		p.age = r.root.Elapsed(p.began)
	}
	if err == nil && q.Freshness == candor.FreshnessBounded {
		err = p.within(q.MaxStaleness)
	}
	if err == nil && q.AtRevision != 0 {
		err = view.Readable(q.AtRevision)
	}
	w := r.Witness(view)
	w.Requested = q.Freshness
	if err != nil {
		return nil, w, refuse(err, w)
	}
	p.fill(&w, q.Freshness)
	return view, w, nil
}

// Witness is what is known of a view without asking anyone.
func (r *Reader) Witness(view *fsm.View) candor.Witness {
	return candor.Witness{
		NodeID: r.identity.NodeID, NodeName: r.identity.NodeName, BootID: r.identity.BootID,
		ClusterID: view.ClusterID(), HistoryID: view.HistoryID(),
		ServedToken: view.Token(), Leader: r.root.Leader(), ClusterTime: view.ClusterTime(),
	}
}

// proof is what a read established.
type proof struct {
	confirmed bool
	// began is when the proof was begun, age how long ago that was when the view
	// was taken: everything acknowledged longer ago is in it.
	began, age time.Duration
}

// prove establishes what the class asks for.
func (r *Reader) prove(ctx context.Context, q candor.ReadRequest) (proof, error) {
	switch q.Freshness {
	case candor.FreshnessBestEffort:
		return proof{}, nil
	case candor.FreshnessStrong:
		return r.confirm(ctx)
	case candor.FreshnessBounded:
		if !r.root.Leading() {
			return proof{}, &candor.Error{Reason: candor.ReasonRootUnavailable, Leader: r.root.Leader(),
				Message: "this node holds no proof of how far its view is behind: ask the leader, or read with BEST_EFFORT"}
		}
		return r.confirm(ctx)
	default:
		return proof{}, candor.Errorf(candor.ReasonInvalid, "freshness %q: want STRONG, BOUNDED or BEST_EFFORT", q.Freshness)
	}
}

func (r *Reader) confirm(ctx context.Context) (proof, error) {
	index, began, err := r.root.ReadIndex(ctx)
	if err != nil {
		return proof{}, err
	}
	return proof{confirmed: true, began: began}, r.root.WaitApplied(ctx, index)
}

// reach waits until the view covers the required token.
func (r *Reader) reach(ctx context.Context, q candor.ReadRequest) error {
	t := q.Required
	if t.IsZero() {
		return nil
	}
	view := r.machine.View()
	if err := t.CheckHistory(view.ClusterID(), view.HistoryID()); err != nil {
		return err
	}
	if view.Token().Covers(t.Token) {
		return nil
	}
	if err := r.root.WaitApplied(ctx, t.Index); err != nil {
		return &candor.Error{Reason: candor.ReasonRootTokenNotReached, Revision: r.machine.View().Token().Revision, Err: err,
			Message: "the view is at " + r.machine.View().Token().String() + " and did not reach the required token " + t.String() + " in time"}
	}
	if got := r.machine.View().Token(); !got.Covers(t.Token) {
		return candor.Errorf(candor.ReasonTokenConflict, "the view at %s has passed index %d without revision %d: the token is not of this history", got, t.Index, t.Revision)
	}
	return nil
}

// defaultStaleness bounds BOUNDED reads that name no bound.
const defaultStaleness = time.Second

// within refuses a proof that grew older than the reader allows while the
// reader waited.
func (p proof) within(most *time.Duration) error {
	bound := defaultStaleness
	if most != nil {
		bound = *most
	}
	if p.age > bound {
		return candor.Errorf(candor.ReasonStalenessExceeded, "the proof is %s old; the read allows %s", p.age, bound)
	}
	return nil
}

func (p proof) fill(w *candor.Witness, class candor.Freshness) {
	w.Served = class
	if !p.confirmed {
		w.Class, w.Mechanism = candor.ServingDegraded, candor.MechanismView
		return
	}
	age, lag := p.age, uint64(0)
	current := w.ServedToken
	w.ServedByLeader, w.Mechanism = true, candor.MechanismLeaderReadIndex
	w.StalenessBound, w.RootLag, w.CurrentToken = &age, &lag, &current
	w.CatchUp, w.CatchUpAction, w.Mode = candor.CatchUpFresh, candor.CatchUpNone, candor.ModeHealthy
	w.Class = candor.ServingAuthoritative
	if class == candor.FreshnessBounded {
		w.Class = candor.ServingBoundedStale
	}
}

// refuse attaches the witness to a refusal.
func refuse(err error, w candor.Witness) error {
	wrapped := &candor.Error{}
	ok := errors.As(candor.Wrap("read", err), &wrapped)
	if !ok {
		return err
	}
	wrapped.Witness = &w
	if wrapped.Leader == nil {
		wrapped.Leader = w.Leader
	}
	return wrapped
}
