package workload

import (
	"context"
	"errors"
	"time"

	"github.com/candor-plane/candor"
)

const (
	// attempt bounds one try of what is tried until it succeeds, and between are the
	// pauses.
	attempt = 3 * time.Second
	between = 50 * time.Millisecond
)

// persist calls until that succeeds. It gives up where ctx ends, and at a refusal that
// no repetition changes.
func persist(ctx context.Context, call func(ctx context.Context) error) error {
	for {
		bounded, cancel := context.WithTimeout(ctx, attempt)
		err := call(bounded)
		cancel()
		if err == nil || hopeless(err) || !passes(ctx, between) {
			return err
		}
	}
}

// hopeless: a namespace that terminates is gone soon, and what was found or missing
// depends on who else is at work.
func hopeless(err error) bool {
	switch reason := candor.ReasonOf(err); reason {
	case candor.ReasonNamespaceTerminating, candor.ReasonNotFound, candor.ReasonAlreadyExists, candor.ReasonConflict,
		candor.ReasonUnknownKind, candor.ReasonTimedOut, candor.ReasonCanceled, candor.ReasonKindInUse, candor.ReasonRequestExpired:
		return false
	default:
		return reason.Disposition().Retry == candor.RetryNever
	}
}

// notFound is the witness of an answer that nothing is there.
func notFound(err error) (*candor.Witness, bool) {
	e, is := errors.AsType[*candor.Error](err)
	if !is || e.Reason != candor.ReasonNotFound || e.Witness == nil {
		return nil, false
	}
	return e.Witness, true
}
