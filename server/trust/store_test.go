package trust_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/server/trust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store keeps states as a disk would, or fails.
type store struct {
	mu    sync.Mutex
	kept  trust.State
	saved int
	fail  error
	// hang makes Save wait until it is closed.
	hang chan struct{}
}

func (s *store) Load() (trust.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept, s.fail
}

func (s *store) Save(state trust.State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hang != nil {
		<-s.hang
	}
	if s.fail != nil {
		return s.fail
	}
	if state.Quarantine != nil {
		copied := *state.Quarantine
		state.Quarantine = &copied
	}
	s.kept, s.saved = state, s.saved+1
	return nil
}

func (s *store) state() trust.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept
}

// digests are a node's own: those from first to applied, each of which is the
// index, or wrong from an index on.
type digests struct {
	mu                    sync.Mutex
	first, applied, wrong uint64
}

func (d *digests) DigestAt(index uint64) (fsm.IndexDigest, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if index < d.first || index > d.applied {
		return fsm.IndexDigest{}, false
	}
	own := right(index)
	if d.wrong != 0 && index >= d.wrong {
		own.Digest[15] = 0xff
	}
	return own, true
}

func (d *digests) Applied() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.applied
}

func (d *digests) edit(change func(*digests)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

// right is the majority's digest at an index.
func right(index uint64) fsm.IndexDigest {
	return fsm.IndexDigest{Index: index, Digest: fsm.Digest{1, byte(index), byte(index >> 8)}}
}

// repairer mends the digests, or fails.
type repairer struct {
	digests *digests

	mu       sync.Mutex
	fail     error
	takes    time.Duration
	attempts []int
	at       []time.Time
	busy     int
	top      int
}

func (r *repairer) Rebuild(ctx context.Context, attempt int) (string, uint64, error) {
	r.mu.Lock()
	r.attempts, r.at = append(r.attempts, attempt), append(r.at, time.Now())
	r.busy++
	r.top = max(r.top, r.busy)
	takes, fail := r.takes, r.fail
	r.mu.Unlock()
	defer r.edit(func(r *repairer) { r.busy-- })
	if takes > 0 {
		timer := time.NewTimer(takes)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return "", 0, ctx.Err()
		}
	}
	if fail != nil {
		return "", 0, fail
	}
	r.digests.edit(func(d *digests) { d.wrong, d.first = 0, d.applied })
	return "node-2", r.digests.Applied(), nil
}

func (r *repairer) edit(change func(*repairer)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

func (r *repairer) tries() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempts
}

// node is a keeper with what it stands on.
type node struct {
	*trust.Keeper
	store    *store
	digests  *digests
	repairer *repairer

	mu sync.Mutex
	// distrusted is what Distrust was told, in order.
	distrusted []bool
}

func (n *node) told() []bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.distrusted
}

// applied100 is a node that has applied 100 entries and keeps the digests of 91
// on.
func applied100() *node {
	d := &digests{first: 91, applied: 100}
	return &node{store: &store{}, digests: d, repairer: &repairer{digests: d}}
}

var errDisk = errors.New("no space left on device")

var nullLogger = hclog.NewNullLogger()

func (n *node) start(t testing.TB, change ...func(*trust.Config)) *node {
	t.Helper()
	config := trust.Config{
		Store: n.store, Digests: n.digests, Repairer: n.repairer, Interval: 30 * time.Second, Logger: nullLogger,
		Distrust: func(on bool) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.distrusted = append(n.distrusted, on)
		},
	}
	for _, c := range change {
		c(&config)
	}
	k, err := trust.New(config)
	if err != nil {
		t.Fatal(err)
	}
	n.Keeper = k
	t.Cleanup(k.Close)
	return n
}

func automatic(c *trust.Config) { c.Automatic = true }
