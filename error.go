package candor

import (
	"errors"
	"fmt"
	"time"
)

// Error is the one error type: a reason that a program may act on, and a
// message for people that no program parses. The reason decides gRPC code,
// HTTP status, exit code and retry class (see Reason.Disposition).
type Error struct {
	Reason  Reason
	Message string
	// Subject names what the error is about: an object, file, member, request.
	Subject string
	// Revision is the one that the refusal was decided at; 0 when none.
	Revision uint64
	// Op is the operation that failed, outermost first.
	Op string
	// Fields name what was wrong with the input.
	Fields []FieldViolation
	// RetryAfter is a hint; 0 for none.
	RetryAfter time.Duration
	// Leader is where to go instead, where a node knows.
	Leader *LeaderHint
	// Witness is the refusing node's, for refused reads.
	Witness *Witness
	// Err is the cause, if it was another error.
	Err error
}

// FieldViolation is one field of the input and what was wrong with it.
type FieldViolation struct {
	Path    string
	Message string
}

// Errorf makes an Error; %w wraps a cause.
func Errorf(reason Reason, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Reason: reason, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Error prints operation, message and reason.
func (e *Error) Error() string {
	s := e.Message
	if s == "" {
		s = "no message"
	}
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	return s + " (" + string(e.Reason) + ")"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches any Error of the same reason, so that
// errors.Is(err, &Error{Reason: ReasonConflict}) asks for the reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && t.Message == ""
}

// ReasonOf is the reason of the first Error in err's chain; INTERNAL for any
// other error and the empty reason for nil.
func ReasonOf(err error) Reason {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ReasonInternal
}

// Wrap adds the operation once, at a package's border. It returns nil for nil
// and never changes the reason; an error that is no Error becomes INTERNAL.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) {
		return &Error{Reason: ReasonInternal, Op: op, Message: err.Error(), Err: err}
	}
	c := *e
	switch {
	case op == "":
	case c.Op == "":
		c.Op = op
	default:
		c.Op = op + ": " + c.Op
	}
	return &c
}
