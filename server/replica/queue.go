package replica

import (
	"sync"

	"github.com/candor-plane/candor"
)

// gate says what the queue does with proposals.
type gate int

const (
	// gateClosed: this server does not lead. Nothing is taken in.
	gateClosed gate = iota
	// gateGathering: it leads, and its LeaderStart is not applied yet.
	gateGathering
	// gateOpen: lanes take.
	gateOpen
	// gateDraining: nothing is taken in, lanes take what is there.
	gateDraining
	// gateStopped: lanes end.
	gateStopped
)

// queue holds proposals until a lane takes them. It is bounded by commands and
// bytes; a caller that leaves makes room at once.
type queue struct {
	maxCommands, maxBytes int

	mu       sync.Mutex
	work     sync.Cond
	gate     gate
	lead     *leadership
	items    []*pending
	head     int
	commands int
	bytes    int
	idle     int
}

func newQueue(maxCommands, maxBytes int) *queue {
	q := &queue{maxCommands: maxCommands, maxBytes: maxBytes}
	q.work.L = &q.mu
	return q
}

// push takes a proposal in. The error's reason is NOT_LEADER, QUEUE_SATURATED
// or SHUTTING_DOWN.
func (q *queue) push(p *pending) *candor.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.gate == gateClosed:
		return errNotLeading
	case q.gate >= gateDraining:
		return errStopping
	case q.commands >= q.maxCommands || q.bytes+len(p.command) > q.maxBytes:
		return candor.Errorf(candor.ReasonQueueSaturated, "%d commands (%d bytes) wait for the log already", q.commands, q.bytes)
	}
	if len(q.items)-q.head > 2*q.commands+64 {
		q.compact()
	}
	q.items = append(q.items, p)
	q.commands++
	q.bytes += len(p.command)
	if q.gate == gateOpen && q.idle > 0 {
		q.work.Signal()
	}
	return nil
}

var (
	errNotLeading = &candor.Error{Reason: candor.ReasonNotLeader, Message: "this server does not lead"}
	errStopping   = &candor.Error{Reason: candor.ReasonShuttingDown, Message: "the server stops"}
)

// leave is for a caller that does not wait any longer: true if its proposal is
// surely not done. Otherwise its lane may answer yet, or has.
func (q *queue) leave(p *pending) bool {
	size := len(p.command)
	if !p.state.CompareAndSwap(stateQueued, stateGone) {
		return false
	}
	q.mu.Lock()
	q.commands--
	q.bytes -= size
	q.mu.Unlock()
	return true
}

// take waits for work and appends to batch what fits one entry. It returns
// false when the lane shall end.
func (q *queue) take(batch []*pending, maxCommands, maxBytes int) ([]*pending, *leadership, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.lead != nil && q.gate != gateStopped {
			if batch = q.collect(batch, maxCommands, maxBytes); len(batch) > 0 {
				return batch, q.lead, true
			}
		}
		if q.gate == gateStopped || q.gate == gateDraining && q.head == len(q.items) {
			return nil, nil, false
		}
		q.idle++
		q.work.Wait()
		q.idle--
	}
}

func (q *queue) collect(batch []*pending, maxCommands, maxBytes int) []*pending {
	size := entryOverhead
	for q.head < len(q.items) && len(batch) < maxCommands {
		p := q.items[q.head]
		if size += len(p.command) + commandOverhead; size > maxBytes && len(batch) > 0 {
			break
		}
		q.items[q.head] = nil
		q.head++
		n := len(p.command)
		if !p.enter() {
			size -= n + commandOverhead
			continue
		}
		q.commands--
		q.bytes -= n
		batch = append(batch, p)
	}
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	if q.head < len(q.items) && q.idle > 0 {
		q.work.Signal()
	}
	return batch
}

// compact drops the proposals whose callers have left.
func (q *queue) compact() {
	kept := q.items[:0]
	for _, p := range q.items[q.head:] {
		if p.state.Load() == stateGone {
			p.recycle()
			continue
		}
		kept = append(kept, p)
	}
	clear(q.items[len(kept):])
	q.items, q.head = kept, 0
}

// set moves the gate. What waits is answered with refuse, when given.
func (q *queue) set(g gate, lead *leadership, refuse *candor.Error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gate >= gateDraining && g < q.gate {
		g = q.gate
	}
	q.gate, q.lead = g, lead
	if refuse != nil {
		q.refuse(refuse)
	}
	q.work.Broadcast()
}

func (q *queue) refuse(err *candor.Error) {
	for _, p := range q.items[q.head:] {
		if p.state.Load() == stateGone {
			p.recycle()
			continue
		}
		n := len(p.command)
		p.err = err
		if p.state.CompareAndSwap(stateQueued, stateFinished) {
			q.commands--
			q.bytes -= n
			p.done <- struct{}{}
			continue
		}
		p.recycle()
	}
	clear(q.items)
	q.items, q.head = q.items[:0], 0
}

func (q *queue) depth() (commands, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.commands, q.bytes
}
