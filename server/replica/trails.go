package replica

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// trails is what the trails of a replica have in common: when the newest
// batches of entries were applied. Nothing is noted while no proposal is traced.
type trails struct {
	live atomic.Int64

	mu      sync.Mutex
	applied [keptApplied]applying
	next    int
}

// keptApplied is how many batches are remembered. A lane asks for its own as
// soon as it is applied, so it is among the last few.
const keptApplied = 64

// applying is when the entries from first to last were applied.
type applying struct {
	first, last uint64
	from, to    time.Time
}

// entryTrail is what the traced commands of one entry have in common. Its lane
// fills it in before it answers; then it does not change.
type entryTrail struct {
	term, index     uint64
	commands, bytes int
	sent, answered  time.Time
	// applying is zero for an entry that was not applied here.
	applying applying
}

// enter is nil when no command of the entry is traced.
func (t *trails) enter(batch []*pending, term uint64, bytes int) *entryTrail {
	if t.live.Load() == 0 {
		return nil
	}
	for _, p := range batch {
		if p.trail != nil {
			return &entryTrail{term: term, commands: len(batch), bytes: bytes}
		}
	}
	return nil
}

// left: raft has taken the entry.
func (e *entryTrail) left() {
	if e != nil {
		e.sent = time.Now()
	}
}

// arrive notes what raft answered, for the callers that are about to hear of it.
func (t *trails) arrive(e *entryTrail, batch []*pending, future raft.IndexFuture, err error) {
	if e == nil {
		return
	}
	e.answered = time.Now()
	if err == nil {
		e.index = future.Index()
		e.applying = t.when(e.index)
	}
	for _, p := range batch {
		if p.trail != nil {
			p.trail.entry.Store(e)
		}
	}
}

func (t *trails) when(index uint64) applying {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.applied {
		if a.first <= index && index <= a.last {
			return a
		}
	}
	return applying{}
}

func (t *trails) note(a applying) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.applied[t.next] = a
	t.next = (t.next + 1) % keptApplied
}

// watchedApplier notes when entries are applied while somebody traces.
type watchedApplier struct{ *applier }

var _ raft.BatchingFSM = watchedApplier{}

// ApplyBatch is the applier's.
func (w watchedApplier) ApplyBatch(logs []*raft.Log) []any {
	t := &w.replica.trails
	if t.live.Load() == 0 {
		return w.applier.ApplyBatch(logs)
	}
	from := time.Now()
	responses := w.applier.ApplyBatch(logs)
	t.note(applying{first: logs[0].Index, last: logs[len(logs)-1].Index, from: from, to: time.Now()})
	return responses
}
