package janitor_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/janitor"
)

// house is a root with work to do.
type house struct {
	mu sync.Mutex
	// pages are left of cascade 1; shelf is how many pages have had their time.
	pages, shelf  int
	floor, newest uint64
	looks         int
	failing       bool
	changed       chan struct{}
}

func newHouse() *house { return &house{changed: make(chan struct{})} }

func (h *house) Position() (index, floor, newest uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.newest, h.floor, h.newest
}

func (h *house) Changed(ctx context.Context, _ uint64) error {
	h.mu.Lock()
	changed := h.changed
	h.mu.Unlock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *house) Pending(int) []uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pages == 0 {
		return nil
	}
	return []uint64{1}
}

func (h *house) Page(context.Context, uint64) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages--
	return true, nil
}

func (h *house) Compact(_ context.Context, floor uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.floor = floor
	return nil
}

func (h *house) Tidy(context.Context) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looks++
	if h.failing {
		return false, candor.Errorf(candor.ReasonUnavailable, "not now")
	}
	if h.shelf == 0 {
		return false, nil
	}
	h.shelf--
	return true, nil
}

func (h *house) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.changed)
	h.changed = make(chan struct{})
}

// TestTheJanitorLeavesNothingThatHadItsTime: cascades, old revisions and what is on
// the shelf, and then it rests.
func TestTheJanitorLeavesNothingThatHadItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.pages, h.shelf, h.newest = 7, 5, 500
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			janitor.Run(ctx, h, h, janitor.Policy{RetainRevisions: 100}, hclog.NewNullLogger())
		}()
		time.Sleep(time.Second)
		h.mu.Lock()
		if h.pages != 0 || h.shelf != 0 || h.floor != 400 {
			t.Errorf("left: %d pages, %d on the shelf, floor %d", h.pages, h.shelf, h.floor)
		}
		looks := h.looks
		h.mu.Unlock()
		time.Sleep(10 * time.Minute)
		h.mu.Lock()
		if n := h.looks - looks; n < 9 || n > 11 {
			t.Errorf("%d looks in ten minutes in which nothing was to do", n)
		}
		h.newest, h.pages = 620, 1
		h.mu.Unlock()
		h.wake()
		time.Sleep(time.Second)
		h.mu.Lock()
		if h.pages != 0 || h.floor != 520 {
			t.Errorf("after a change: %d pages, floor %d", h.pages, h.floor)
		}
		h.failing = true
		looks = h.looks
		h.mu.Unlock()
		time.Sleep(5 * time.Minute)
		h.mu.Lock()
		if n := h.looks - looks; n < 4 || n > 6 {
			t.Errorf("%d looks in five minutes in which each failed", n)
		}
		h.mu.Unlock()
		cancel()
		<-done
	})
}
