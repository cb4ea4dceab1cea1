package coordinator

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/failpoint"
)

// Duty is one responsibility. Another grant begins only after Run of the one before
// has returned.
type Duty interface {
	// Name is one of those that tenure.DutyOf knows.
	Name() string
	// Run acts under the grant until the context ends, and returns when nothing is
	// done under it any more. Returning before is a failure, whatever it returns.
	Run(ctx context.Context, g *Grant) error
}

// Bound is a duty that only the Raft leader can perform: nobody else campaigns for it,
// and it goes with leadership.
type Bound interface {
	Duty
	BoundToLeader()
}

// Grant is one era of a duty as its holder has it. Its methods may be called
// concurrently, until Run has returned.
type Grant struct {
	Duty tenure.Duty
	Era  uint64
	// Holder is this node.
	Holder string
	// Start is what earlier eras may have used, Bound what is reserved for this one
	// already.
	Start, Bound tenure.Frontiers

	root     Root
	node     Node
	drift    uint32
	duration int64
	// sent is Elapsed before the newest renewal that succeeded was sent.
	sent atomic.Int64

	mu   sync.Mutex
	used tenure.Frontiers
}

// Reserve raises the era's bound, durably, before anything below it is used.
func (g *Grant) Reserve(ctx context.Context, bound tenure.Frontiers) error {
	failpoint.Hit("allocator/reserve", g.Duty.Name)
	if err := g.root.Propose(ctx, g.Duty, tenure.Reserve{Era: g.Era, Holder: g.Holder, Bound: bound}); err != nil {
		return err
	}
	failpoint.Hit("allocator/reserved", g.Duty.Name)
	return nil
}

// Used says how far the era came. A duty that hands out values says so before Run
// returns, for the seal.
func (g *Grant) Used(f tenure.Frontiers) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used = g.used.Max(f)
}

func (g *Grant) usage() tenure.Frontiers {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used.Max(g.Start)
}

// Holds says whether this node may believe, without asking, that nobody else has
// taken the duty: for so long after it sent its newest renewal as no clock can be
// wrong about.
func (g *Grant) Holds() bool {
	b := tenure.Belief{RenewSent: g.sent.Load(), Duration: g.duration}
	return b.Holds(int64(g.node.Elapsed()), g.drift)
}

// renewed takes note of a renewal that was sent then.
func (g *Grant) renewed(sent time.Duration) { g.sent.Store(int64(sent)) }

// over says that an error of the root means that the era has ended.
func over(err error) bool {
	switch candor.ReasonOf(err) {
	case candor.ReasonEraStale, candor.ReasonForbidden:
		return true
	default:
		return false
	}
}
