package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

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
	// last is what the last attempt met.
	last *candor.Error
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
	default: // toAny
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
	c := p.client
	c.heed(ep, e)
	p.note(ep, e)
	if e.Reason == candor.ReasonRootTokenNotReached && p.request.effect {
		// A follower forwarded the write, and it was made; the follower's view
		// does not show it in time.
		p.unknown = true
	}
	switch e.Reason.Disposition().Retry {
	case candor.RetryLeader:
		c.leader.forget(ep)
		c.follow(ep, e.Leader)
		if p.request.route == toPinned {
			return nil, p.settle(e)
		}
		return p.next(ctx, ep, e, true)
	case candor.RetryOtherNode, candor.RetryWaitForToken, candor.RetryAcceptStale:
		if p.request.route == toPinned {
			return nil, p.settle(e)
		}
		return p.next(ctx, ep, e, p.exhausted())
	case candor.RetryLater, candor.RetrySameNode:
		if err := p.rest(ctx, nil, e); err != nil {
			return nil, err
		}
		return p.again(ep), nil
	case candor.RetryOutcomeUnknown:
		if !p.request.effect {
			return p.next(ctx, ep, e, true)
		}
		p.unknown = true
		if !p.request.repeatable {
			return nil, p.settle(e)
		}
		return p.next(ctx, ep, e, true)
	default:
		return nil, p.settle(e)
	}
}

// unanswered: the attempt failed on its way there or back.
func (p *pursuit) unanswered(ctx context.Context, ep *endpoint, failure error) (*endpoint, error) {
	c, r := p.client, p.request
	if err := r.unsendable(failure); err != nil {
		return nil, p.settle(err)
	}
	e := transportError(ep, failure)
	code := status.Code(failure)
	switch code {
	case codes.Unimplemented, codes.Unauthenticated, codes.PermissionDenied:
		p.note(ep, e)
		return nil, p.settle(e) // refused before any handler ran
	default:
	}
	if r.effect && r.sent() {
		p.unknown = true
	}
	if err := p.over(ctx); err != nil {
		return nil, err
	}
	p.note(ep, e)
	if code == codes.ResourceExhausted || code == codes.Unknown && !r.effect {
		return nil, p.settle(e) // the next node would answer the same
	}
	c.avoid(ctx, ep, code)
	c.leader.forget(ep)
	if p.unknown && !r.repeatable || r.route == toPinned {
		return nil, p.settle(e)
	}
	return p.next(ctx, ep, e, p.exhausted())
}

// next is the endpoint after ep, after a pause where one is due: the leader, if
// the request needs it and it is known to be another.
func (p *pursuit) next(ctx context.Context, ep *endpoint, e *candor.Error, pause bool) (*endpoint, error) {
	c := p.client
	if pause && !p.leaderElsewhere(ep) {
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
	return c.directory.after(ep), nil
}

// leaderElsewhere: there is another node to try that is believed to lead. Nodes
// that name one another as the leader are not followed for ever.
func (p *pursuit) leaderElsewhere(ep *endpoint) bool {
	leader := p.client.leader.current().endpoint
	return p.request.route == toLeader && leader != nil && leader != ep && p.hops <= 2
}

// again is where a request goes that its node asked to repeat later.
func (p *pursuit) again(ep *endpoint) *endpoint {
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
	if log := p.client.log; log.IsDebug() {
		log.Debug("attempt failed", "method", p.request.method, "endpoint", ep.addr, "attempt", p.attempts,
			"reason", e.Reason, "error", e.Message)
	}
}

// settle is the error that the request ends with, given what the last attempt
// met: that, unless an earlier attempt may have been carried out all the same.
func (p *pursuit) settle(e *candor.Error) error {
	r := p.request
	if !p.unknown || e.Reason == candor.ReasonConflict && r.preconditioned {
		return e
	}
	if e.Reason == candor.ReasonOutcomeUnknown {
		c := *e
		c.Subject = orElse(r.subject, e.Subject)
		return &c
	}
	return &candor.Error{
		Reason: candor.ReasonOutcomeUnknown, Subject: r.subject, Leader: e.Leader, Witness: e.Witness, Err: e,
		Message: fmt.Sprintf("an attempt got no answer, so the write may have been made; last: %s", e),
	}
}

// gaveUp is the error at the end of time: what is known, or that time was up.
func (p *pursuit) gaveUp(cause error) error {
	reason, what := candor.ReasonTimedOut, "the deadline passed"
	if errors.Is(cause, context.Canceled) {
		reason, what = candor.ReasonCanceled, "the caller gave up"
	}
	if p.unknown || p.last == nil || reason == candor.ReasonCanceled {
		return p.settle(&candor.Error{
			Reason: reason, Subject: p.request.subject, Err: cause,
			Message: fmt.Sprintf("%s after %d failed attempts%s", what, p.attempts, because(p.last)),
		})
	}
	c := *p.last
	c.Message = fmt.Sprintf("%s; %s after %d failed attempts", c.Message, what, p.attempts)
	c.Err = errors.Join(cause, c.Err)
	return &c
}

func because(last *candor.Error) string {
	if last == nil {
		return ""
	}
	return ", the last: " + last.Error()
}

// unsendable finds out whether the request itself is why it could not be sent.
func (r *request) unsendable(failure error) *candor.Error {
	switch status.Code(failure) {
	case codes.ResourceExhausted:
		if size := proto.Size(r.in); size > maxMessage {
			return candor.Errorf(candor.ReasonTurnTooLarge, "the request has %d bytes; at most %d can be sent", size, maxMessage)
		}
	case codes.Internal:
		if _, err := proto.Marshal(r.in); err != nil {
			return candor.Errorf(candor.ReasonInvalid, "the request cannot be encoded: %w", err)
		}
	default:
	}
	return nil
}

// transportError is what a failure without a server's word means to a caller.
func transportError(ep *endpoint, failure error) *candor.Error {
	e, ok := errors.AsType[*candor.Error](convert.ErrorFromStatus(failure))
	if !ok {
		e = candor.Errorf(candor.ReasonInternal, "%w", failure)
	}
	c := *e
	c.Subject = ep.addr
	switch c.Reason {
	case candor.ReasonTimedOut:
		c.Message = "endpoint " + ep.addr + " did not answer in time"
	case candor.ReasonCanceled: // nobody here did: the stream was reset
		c.Reason = candor.ReasonUnavailable
	default:
	}
	return &c
}
