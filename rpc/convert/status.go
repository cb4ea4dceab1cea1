package convert

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
)

// StatusFromError is the wire form of err, as PROTOCOL section 12 says: the
// code that follows from its reason, and details that a program reads instead
// of the message. Nil gives nil. An error that is no candor.Error keeps the
// gRPC status it carries, becomes CANCELED or TIMED_OUT if it is a context's,
// and INTERNAL otherwise.
func StatusFromError(err error) *status.Status {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return statusOf(e)
	}
	if st, ok := status.FromError(err); ok && st.Code() != codes.OK {
		return st
	}
	return statusOf(&candor.Error{Reason: contextReason(err), Message: err.Error()})
}

// ErrorFromStatus undoes StatusFromError: the result is a *candor.Error, or nil
// for nil and for a status OK. The cause of an error has no wire form. A status
// without our details was made by gRPC itself or by something in between; it
// keeps err as its cause and gets the reason that fits its code: CANCELED,
// TIMED_OUT, UNAVAILABLE, UNIMPLEMENTED, UNAUTHENTICATED, FORBIDDEN,
// TURN_TOO_LARGE (a message over the limit of one side) or else INTERNAL.
// Whether a write that failed so was carried out, the caller must judge.
func ErrorFromStatus(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*candor.Error](err); ok {
		return err
	}
	st, ok := status.FromError(err)
	if !ok {
		return &candor.Error{Reason: contextReason(err), Message: err.Error(), Err: err}
	}
	if st.Code() == codes.OK {
		return nil
	}
	if e := refusal(st); e != nil {
		return e
	}
	return &candor.Error{Reason: transportReason(st.Code()), Message: st.Message(), Err: err}
}

// Refusal returns the error that a server decided on and sent, and false for
// every other failure: one of the way there or back, which says nothing about
// what the server did.
func Refusal(err error) (*candor.Error, bool) {
	st, ok := status.FromError(err)
	if !ok {
		return nil, false
	}
	e := refusal(st)
	return e, e != nil
}

func statusOf(e *candor.Error) *status.Status {
	st := status.New(codes.Code(e.Reason.Disposition().Code), text(e.Message))
	return withDetails(st, e)
}

func contextReason(err error) candor.Reason {
	switch {
	case errors.Is(err, context.Canceled):
		return candor.ReasonCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return candor.ReasonTimedOut
	default:
		return candor.ReasonInternal
	}
}

func transportReason(code codes.Code) candor.Reason {
	switch code {
	case codes.Canceled:
		return candor.ReasonCanceled
	case codes.DeadlineExceeded:
		return candor.ReasonTimedOut
	case codes.Unavailable:
		return candor.ReasonUnavailable
	case codes.Unimplemented:
		return candor.ReasonUnimplemented
	case codes.Unauthenticated:
		return candor.ReasonUnauthenticated
	case codes.PermissionDenied:
		return candor.ReasonForbidden
	case codes.ResourceExhausted:
		return candor.ReasonTurnTooLarge
	default:
		return candor.ReasonInternal
	}
}

// text makes a string fit for a proto3 string field; messages may quote input.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
