package allocator_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/allocator"
)

// root keeps the durable bound. It may be slow, refuse, or do what it was asked for and
// not say so.
type root struct {
	mu sync.Mutex
	// era is the active one; 0 stands for any.
	era      uint64
	bound    uint64
	asked    int
	bounds   []uint64
	delay    time.Duration
	faults   *rand.Rand
	refusal  error
	released chan struct{}
}

func (r *root) Reserve(ctx context.Context, bound uint64) error { return r.reserve(ctx, 0, bound) }

// holder reserves under an era.
type holder struct {
	*root
	era uint64
}

func (h holder) Reserve(ctx context.Context, bound uint64) error { return h.reserve(ctx, h.era, bound) }

func (r *root) reserve(ctx context.Context, era, bound uint64) error {
	r.mu.Lock()
	r.asked++
	r.bounds = append(r.bounds, bound)
	delay, refusal, released := r.delay, r.refusal, r.released
	fault := -1
	if r.faults != nil {
		fault = r.faults.IntN(6)
		delay = time.Duration(r.faults.IntN(3000)) * time.Microsecond
	}
	r.mu.Unlock()
	if released != nil {
		select {
		case <-released:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case refusal != nil:
		return refusal
	case era != r.era:
		return candor.Errorf(candor.ReasonConflict, "era %d is sealed, %d is active", era, r.era)
	case fault == 0:
		return candor.Errorf(candor.ReasonNotLeader, "not done")
	case fault == 1:
		return candor.Errorf(candor.ReasonOutcomeUnknown, "not done, and nobody knows")
	case fault == 2:
		r.bound = max(r.bound, bound)
		return candor.Errorf(candor.ReasonOutcomeUnknown, "done, and nobody knows")
	}
	r.bound = max(r.bound, bound)
	return nil
}

// seal makes an era the active one and returns all that was reserved before it.
func (r *root) seal(next uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.era = next
	return r.bound
}

func (r *root) durable() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bound
}

func (r *root) asks() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

func settings(era, start uint64) allocator.Settings {
	return allocator.Settings{Era: era, Start: start, Logger: hclog.NewNullLogger()}
}

func newIDs(t testing.TB, s allocator.Settings, r allocator.Reserve) *allocator.IDs {
	t.Helper()
	ids, err := allocator.NewIDs(s, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ids.Close() })
	return ids
}

// clusterTime is package time's, from a moment after 1970.
type clusterTime struct{ began time.Time }

func (c clusterTime) ClusterTime() (int64, bool) {
	return int64(time.Hour) + int64(time.Since(c.began)), !c.began.IsZero()
}

// belief says what it is told to, one answer a question; the last one stays.
type belief struct {
	mu      sync.Mutex
	answers []bool
}

func (b *belief) Holds() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	answer := b.answers[0]
	if len(b.answers) > 1 {
		b.answers = b.answers[1:]
	}
	return answer
}

func (b *belief) lose() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers = []bool{false}
}

func believing() *belief { return &belief{answers: []bool{true}} }

func newTSO(t testing.TB, s allocator.Settings, r allocator.Reserve, b allocator.Belief) *allocator.TSO {
	t.Helper()
	tso, err := allocator.NewTSO(s, r, clusterTime{time.Now()}, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tso.Close() })
	return tso
}

func wantReason(t *testing.T, err error, reason candor.Reason) {
	t.Helper()
	if candor.ReasonOf(err) != reason {
		t.Errorf("error %v, want %s", err, reason)
	}
}
