package client

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/rpc/convert"
)

// pursuit follows one request over nodes and time until it is answered, surely
// refused, or out of time. It belongs to one goroutine.
type pursuit struct {
	client  *Client
	request *request

	attempts int
	hops     int // attempts since the last pause
	pause    time.Duration
	// unknown: some attempt got no answer and may have changed the cluster.
	unknown bool
	// rootless are the endpoints that could not be reached or have no root, of a
	// request that may be stale then; lacking: one of them said so itself.
	rootless []*endpoint
	lacking  bool
	// last is what the last attempt met, told what a server last said: of the two
	// the one that explains more.
	last, told *candor.Error
}

// start is where the first attempt goes.
func (p *pursuit) start() (*endpoint, error) {
	c := p.client
	if c.closed.Load() {
		return nil, errClosed()
	}
	switch p.request.route {
	case toPinned:
		return p.request.pinned, nil
	case toLeader:
		if ep := c.leader.current().endpoint; ep != nil {
			return ep, nil
		}
	case toHolder:
		if ep := c.holders.at(p.request.duty); ep != nil {
			return ep, nil
		}
	default: // toAny
		if p.request.class != "" {
			return c.directory.nearest(), nil
		}
	}
	return c.directory.any(), nil
}

// over returns the error that ends the pursuit when ctx or the client is done.
func (p *pursuit) over(ctx context.Context) error {
	if p.client.closed.Load() {
		return p.settle(errClosed())
	}
	if err := ctx.Err(); err != nil {
		return p.gaveUp(err)
	}
	return nil
}

// failed takes note of a failed attempt at ep. It returns where the next one
// goes, after the pause that is due, or the error that ends the pursuit.
func (p *pursuit) failed(ctx context.Context, ep *endpoint, failure error) (*endpoint, error) {
	p.attempts++
	p.hops++
	refusal, refused := convert.Refusal(failure)
	if refused {
		return p.refused(ctx, ep, refusal)
	}
	return p.unanswered(ctx, ep, failure)
}

// refused: a server decided. The request surely did nothing in this attempt,
// unless the reason says that this is not known.
func (p *pursuit) refused(ctx context.Context, ep *endpoint, e *candor.Error) (*endpoint, error) {
	c, r := p.client, p.request
	c.heed(r, ep, e)
	p.note(ep, e)
	p.told = e
	retry := e.Reason.Disposition().Retry
	if r.effect && (retry == candor.RetryOutcomeUnknown || e.Reason == candor.ReasonRootTokenNotReached) {
		// The latter: a follower forwarded the write, and it was made; the
		// follower's view does not show it in time.
		p.unknown = true
	}
	if r.goesOn(e) {
		r.transition, p.unknown = e.Subject, true
	}
	if retry == candor.RetryLeader {
		c.leader.forget(ep)
		c.follow(ep, e.Leader)
	}
	p.leaves(ep, e)
	q := p.plight(refused, e.Reason)
	if w := e.Witness; w != nil {
		q.mode, q.catchUp, q.ahead = w.Mode, w.CatchUp, !w.ServedToken.Covers(r.required)
	}
	q.rootless = p.withoutRoot(ep, q.lacksRoot(), q.lacksRoot())
	return p.take(ctx, q.next(), ep, e)
}

// unanswered: the attempt failed on its way there or back.
func (p *pursuit) unanswered(ctx context.Context, ep *endpoint, failure error) (*endpoint, error) {
	c, r := p.client, p.request
	if err := r.unsendable(failure); err != nil {
		return nil, p.settle(err)
	}
	e := transportError(ep, failure)
	code := status.Code(failure)
	q := p.plight(unreached, e.Reason)
	switch {
	case !r.effect && code == codes.Unknown:
		q.reply = foreign
	case r.effect && r.left():
		q.reply = lost
		p.unknown = p.unknown || !refusedUnread(code)
	}
	if err := p.over(ctx); err != nil {
		return nil, err
	}
	p.note(ep, e)
	q.rootless = p.withoutRoot(ep, true, false)
	s := q.next()
	if q.reply != foreign && !hopeless(q.reason) {
		c.avoid(ctx, ep, code)
		c.leader.forget(ep)
		c.holders.forget(r.duty, ep)
	}
	return p.take(ctx, s, ep, e)
}

// plight is what is known before any attempt.
func (p *pursuit) plight(reply reply, reason candor.Reason) plight {
	r := p.request
	return plight{
		class: r.class, anywhere: r.route != toLeader, pinned: r.route == toPinned, effect: r.what(), mayBeStale: r.mayBeStale,
		reply: reply, reason: reason,
	}
}

// withoutRoot takes note of whether the node at ep can prove nothing now, and
// whether it was it that said so. It reports whether no node can.
func (p *pursuit) withoutRoot(ep *endpoint, lacks, said bool) bool {
	r := p.request
	if !r.mayBeStale {
		return false
	}
	if !lacks {
		p.rootless, p.lacking = nil, false
		return false
	}
	p.lacking = p.lacking || said
	if !slices.Contains(p.rootless, ep) {
		p.rootless = append(p.rootless, ep)
	}
	if r.route == toPinned {
		return p.lacking
	}
	for _, other := range p.client.directory.roster().rotation {
		if !slices.Contains(p.rootless, other) {
			return false
		}
	}
	return p.lacking
}

// take takes the step: it returns where the next attempt goes, after the pause
// that is due, or the error that ends the pursuit.
func (p *pursuit) take(ctx context.Context, s step, ep *endpoint, e *candor.Error) (*endpoint, error) {
	switch s {
	case toTheLeader:
		return p.next(ctx, ep, e, true)
	case otherNode:
		return p.next(ctx, ep, e, p.exhausted())
	case waitForToken:
		return p.wait(ctx, ep, e)
	case later, sameNode:
		if err := p.rest(ctx, nil, e); err != nil {
			return nil, err
		}
		return p.again(ep), nil
	default:
		return nil, p.settle(e)
	}
}

// wait goes where what is required will be: first to the leader, which has it.
func (p *pursuit) wait(ctx context.Context, ep *endpoint, e *candor.Error) (*endpoint, error) {
	if p.request.route == toPinned {
		return ep, p.rest(ctx, nil, e)
	}
	if leader := p.client.leader.current().endpoint; leader != nil && leader != ep && p.hops == 1 {
		return leader, nil
	}
	return p.next(ctx, ep, e, p.exhausted())
}

// next is the endpoint after ep, after a pause where one is due: the leader, if
// the request needs it and it is known to be another.
func (p *pursuit) next(ctx context.Context, ep *endpoint, e *candor.Error, pause bool) (*endpoint, error) {
	c := p.client
	if pause && !p.leaderElsewhere(ep) && !p.holderElsewhere(ep) {
		c.refreshSoon(ctx, ep)
		if err := p.rest(ctx, ep, e); err != nil {
			return nil, err
		}
	}
	if p.request.route == toLeader {
		if leader := c.leader.current().endpoint; leader != nil && (leader != ep || pause) {
			return leader, nil
		}
	}
	if p.request.route == toHolder {
		if holder := c.holders.at(p.request.duty); holder != nil && (holder != ep || pause) {
			return holder, nil
		}
	}
	return c.directory.after(ep), nil
}

// leaderElsewhere: there is another node to try that is believed to lead. Nodes
// that name one another as the leader are not followed for ever.
func (p *pursuit) leaderElsewhere(ep *endpoint) bool {
	leader := p.client.leader.current().endpoint
	return p.request.route == toLeader && leader != nil && leader != ep && p.hops <= 2
}

// holderElsewhere is the same of the holder of a duty.
func (p *pursuit) holderElsewhere(ep *endpoint) bool {
	holder := p.client.holders.at(p.request.duty)
	return p.request.route == toHolder && holder != nil && holder != ep && p.hops <= 2
}

// again is where a request goes that its node asked to repeat later. Who says that
// nobody holds a duty may be the last to know better.
func (p *pursuit) again(ep *endpoint) *endpoint {
	if p.request.route == toHolder {
		if holder := p.client.holders.at(p.request.duty); holder != nil {
			return holder
		}
		return p.client.directory.after(ep)
	}
	if p.request.route == toLeader {
		if leader := p.client.leader.current().endpoint; leader != nil {
			return leader
		}
	}
	return ep
}

// exhausted: every endpoint had its chance since the last pause.
func (p *pursuit) exhausted() bool { return p.hops >= len(p.client.directory.roster().rotation) }

// note keeps e as what the attempt met.
func (p *pursuit) note(ep *endpoint, e *candor.Error) {
	p.last = e
	if p.request.met != nil {
		p.request.met.Store(e)
	}
	p.request.failed(ep, p.attempts, e)
	if log := p.client.log; log.IsDebug() {
		log.Debug("attempt failed", "method", p.request.method, "endpoint", ep.addr, "attempt", p.attempts,
			"reason", e.Reason, "error", e.Message)
	}
}
