package servertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// faultyDisk is what befalls a server's log store, over its restarts. Its zero value
// does no harm.
type faultyDisk struct {
	mu    sync.Mutex
	delay time.Duration
	// open is closed when all hangs have ended; nil while there is none.
	open  chan struct{}
	hangs int
	// dead: the server ends, or has ended, and nothing more befalls what it leaves.
	dead bool
	// fails is how many of the next writes do.
	fails int
	met   int
}

var errDisk = errors.New("servertest: input/output error")

// change makes or ends a fault.
func (d *faultyDisk) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// seen is how many writes met a fault.
func (d *faultyDisk) seen() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.met
}

// write is what comes before a write; when ctx ends, whoever hangs goes on.
func (d *faultyDisk) write(ctx context.Context) error {
	d.mu.Lock()
	if d.dead {
		d.mu.Unlock()
		return nil
	}
	delay, open := d.delay, d.open
	fails := d.fails > 0
	if fails {
		d.fails--
	}
	if delay > 0 || open != nil || fails {
		d.met++
	}
	d.mu.Unlock()
	if fails {
		return errDisk
	}
	if delay > 0 {
		time.Sleep(delay)
	}
	if open != nil {
		select {
		case <-open:
		case <-ctx.Done():
		}
	}
	return nil
}

// faultyStore is a log store before which the faults of a disk come.
type faultyStore struct {
	raft.LogStore
	ctx  context.Context //nolint:containedctx // raft's stores take none
	disk *faultyDisk
}

func (s *faultyStore) StoreLog(log *raft.Log) error { return s.StoreLogs([]*raft.Log{log}) }

func (s *faultyStore) StoreLogs(logs []*raft.Log) error {
	if err := s.disk.write(s.ctx); err != nil {
		return err
	}
	return s.LogStore.StoreLogs(logs)
}

// IsMonotonic is the store's own answer.
func (s *faultyStore) IsMonotonic() bool {
	m, ok := s.LogStore.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// hang begins one more hang, and release ends it: the disk answers once all have ended.
func (d *faultyDisk) hang() {
	d.change(func() {
		if d.hangs++; d.open == nil && !d.dead {
			d.open = make(chan struct{})
		}
	})
}

func (d *faultyDisk) release() {
	d.change(func() {
		if d.hangs--; d.hangs == 0 {
			d.let()
		}
	})
}

// ends lets go what a server that ends was waiting for, and begins is of its next start.
func (d *faultyDisk) ends() {
	d.change(func() {
		d.dead = true
		d.let()
	})
}

func (d *faultyDisk) begins() {
	d.change(func() {
		if d.dead = false; d.hangs > 0 {
			d.open = make(chan struct{})
		}
	})
}

// let ends the wait of whoever does; with the lock held.
func (d *faultyDisk) let() {
	if d.open != nil {
		close(d.open)
		d.open = nil
	}
}
