package client

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/rpc/convert"
)

// settle is the error that the request ends with, given what the last attempt
// met: that, unless an earlier attempt may have been carried out all the same.
func (p *pursuit) settle(e *candor.Error) error {
	r := p.request
	if !p.unknown || e.Reason == candor.ReasonConflict && r.preconditioned {
		return e
	}
	if e.Reason == candor.ReasonOutcomeUnknown {
		c := *e
		c.Subject = orElse(r.transition, orElse(r.subject, e.Subject))
		return &c
	}
	return &candor.Error{
		Reason: candor.ReasonOutcomeUnknown, Subject: orElse(r.transition, r.subject), Leader: e.Leader, Witness: e.Witness, Err: e,
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
	met := ""
	if p.told != nil && p.told != p.last {
		// A node that cannot be reached says less than one that refuses.
		c, met = *p.told, because(p.last)
	}
	c.Message = fmt.Sprintf("%s; %s after %d failed attempts%s", c.Message, what, p.attempts, met)
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
	case candor.ReasonUnavailable:
		// What a server that wants TLS does to a client that does not speak it.
		if ep.plain && strings.Contains(c.Message, "server preface") {
			c.Message = "endpoint " + ep.addr + " hung up at once: if it speaks TLS, say whose authority to trust (--tls-ca)"
		}
	default:
	}
	return &c
}

// refusedUnread: whatever answers with such a code does so before any handler
// has run.
func refusedUnread(code codes.Code) bool {
	return code == codes.Unimplemented || code == codes.Unauthenticated || code == codes.PermissionDenied
}
