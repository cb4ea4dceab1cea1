package replica

import (
	"sync"
	"sync/atomic"

	"github.com/candor-plane/candor/fsm"
)

// The life of a pending proposal. Whoever moves it on decides what is done with
// it: a caller that leaves takes it from the queue or abandons it to its lane.
const (
	stateQueued int32 = iota
	stateEntered
	stateFinished
	stateGone
)

// pending is one proposal and the caller that waits for it. It is pooled, per
// replica: the side that sees it last puts it back.
type pending struct {
	pool    *sync.Pool
	command []byte
	// request is what Outcomes knows of it; nil where it has no ID.
	request *request
	trail   *trail
	state   atomic.Int32
	done    chan struct{}
	result  fsm.Result
	err     error
}

func newPending(pool *sync.Pool, command []byte) *pending {
	p, ok := pool.Get().(*pending)
	if !ok {
		p = &pending{pool: pool, done: make(chan struct{}, 1)}
	}
	p.command = command
	p.state.Store(stateQueued)
	return p
}

func (p *pending) recycle() {
	p.command, p.request, p.trail, p.result, p.err = nil, nil, nil, fsm.Result{}, nil
	p.pool.Put(p)
}

// enter takes the proposal into an entry, unless its caller has left.
func (p *pending) enter() bool {
	p.trail.taken()
	if p.state.CompareAndSwap(stateQueued, stateEntered) {
		p.request.went()
		return true
	}
	p.recycle()
	return false
}

// finish answers the caller, unless it has left. result and err are set before.
func (p *pending) finish(from int32) {
	if p.state.CompareAndSwap(from, stateFinished) {
		p.done <- struct{}{}
		return
	}
	p.recycle()
}
