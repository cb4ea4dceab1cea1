package client

import (
	"context"
	"sync"

	"github.com/candor-plane/candor"
)

// holders are the endpoints that this client believes to hold duties: hints that
// make the common call one hop, never proof. A call stays with one until it is
// refused there, or not answered.
type holders struct {
	mu sync.Mutex
	of map[string]*endpoint // by duty
}

// at is nil where nobody is known to hold the duty.
func (h *holders) at(duty string) *endpoint {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.of[duty]
}

// learn takes note that the node at ep holds the duty.
func (h *holders) learn(duty string, ep *endpoint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = map[string]*endpoint{}
	}
	h.of[duty] = ep
}

// forget takes note that the node at ep does not hold it (any more).
func (h *holders) forget(duty string, ep *endpoint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of[duty] == ep {
		delete(h.of, duty)
	}
}

// leaves takes note of a refusal by the node at ep of what a duty's holder does: the
// next attempt goes where that one says the holder is. A hint to a node that just
// failed is not followed, for its fellows may not know yet.
func (p *pursuit) leaves(ep *endpoint, e *candor.Error) {
	c, duty := p.client, p.request.duty
	if p.request.route != toHolder || e.Reason.Disposition().Retry == candor.RetryNever {
		return
	}
	c.holders.forget(duty, ep)
	if e.Reason != candor.ReasonNotHosted || e.Leader == nil {
		return
	}
	if holder := c.directory.resolve(ep, e.Leader); holder != nil && holder != ep && !c.directory.suspect(holder) {
		c.holders.learn(duty, holder)
	}
}

// dropped takes note of an answer that is not to be used, and returns where to ask
// next, or the error that ends the pursuit.
func (p *pursuit) dropped(ctx context.Context, ep *endpoint, e *candor.Error) (*endpoint, error) {
	p.attempts++
	p.hops++
	p.note(ep, e)
	p.told = e
	p.client.holders.forget(p.request.duty, ep)
	return p.next(ctx, ep, e, p.exhausted())
}
