package read

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/internal/zoo"
	"github.com/candor-plane/candor/rpc/tracing"
)

// Identity is what every witness of this node says.
type Identity struct {
	NodeID, NodeName, BootID string
}

// Config of a Reader; all of it is required.
type Config struct {
	Identity Identity
	Machine  *fsm.Machine
	Root     Root
	Node     Node
	Trust    Trust
	Policy   freshness.Policy
	// Beacon is how often a proof is asked for.
	Beacon time.Duration
}

// Reader serves views.
type Reader struct {
	config    Config
	proofs    proofs
	counts    counts
	condition conditions
	recovered atomic.Bool
	// failure is why the newest probe gave no proof; nil when it did.
	failure atomic.Pointer[candor.Error]

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New returns a Reader whose beacon runs until Close.
func New(config Config) *Reader {
	switch {
	case config.Machine == nil || config.Root == nil || config.Node == nil || config.Trust == nil:
		panic("read: machine, root, node and trust are required")
	case config.Identity.NodeID == "" || config.Identity.BootID == "":
		panic("read: node ID and boot ID are required")
	case config.Beacon <= 0 || config.Policy.Check() != nil:
		panic("read: a beacon interval and a policy that makes sense are required")
	}
	r := &Reader{config: config}
	r.condition.start()
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.done.Go(func() { r.beacon(ctx) })
	return r
}

// Close ends the beacon and waits for it. Reads go on with what they have.
func (r *Reader) Close() {
	r.cancel()
	r.done.Wait()
}

// View waits as the contract asks and returns the view with its witness, or an
// *Error that carries the witness of the refusal.
func (r *Reader) View(ctx context.Context, q candor.ReadRequest) (*fsm.View, candor.Witness, error) {
	request, err := freshness.RequestOf(&q)
	if zoo.Enabled && zoo.Has(zoo.IgnoreRequired) {
		request.Required = candor.Token{}
	}
	s := serving{reader: r, request: &request, asked: &q}
	if err != nil {
		s.look()
		return s.refuse(err)
	}
	for {
		if !s.confirmsFirst() {
			s.look()
		}
		verdict := freshness.Decide(s.request, &s.node)
		tracing.Decided(ctx, verdict.Do.String(), verdict.Reason)
		switch verdict.Do {
		case freshness.Serve:
			return s.serve(verdict)
		case freshness.Reject:
			return s.refuse(s.rejection(verdict))
		case freshness.Confirm:
			err = s.confirm(ctx)
		case freshness.ProbeLeader:
			err = s.probe(ctx)
		case freshness.WaitFor:
			err = s.wait(ctx, verdict.Index)
		case freshness.WaitWithin:
			err = s.waitWithin(ctx, verdict.Index)
		}
		if err != nil {
			return s.refuse(err)
		}
	}
}

// Witness is what is known of a view without asking anyone.
func (r *Reader) Witness(view *fsm.View) candor.Witness {
	s := serving{reader: r}
	s.observe(view)
	return s.witness()
}

// Within says whether the view still holds a proof no older than a bound.
func (r *Reader) Within(bound time.Duration) bool {
	held, _, known, _ := r.proofs.look(r.config.Machine.View().Token().Index)
	return known && r.config.Root.Elapsed(held.Began) <= bound
}

// Note takes a proof that this node made for somebody else.
func (r *Reader) Note(p Proof) {
	r.proofs.add(p, r.config.Machine.View().Token().Index)
	r.config.Trust.Heard(p.Agreed)
}

// final says whether an error ends a read, whatever the rules say: the caller is
// gone, or the node stops.
func final(err error) bool {
	switch candor.ReasonOf(err) {
	case candor.ReasonCanceled, candor.ReasonShuttingDown, candor.ReasonNotLeader:
		return true
	default:
		return false
	}
}

// refuse attaches the witness to a refusal.
func refuse(err error, w *candor.Witness) error {
	wrapped := &candor.Error{}
	if !errors.As(candor.Wrap("read", err), &wrapped) {
		return err
	}
	wrapped.Witness = w
	if wrapped.Leader == nil {
		wrapped.Leader = w.Leader
	}
	return wrapped
}
