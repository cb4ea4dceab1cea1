package candor_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/candor-plane/candor"
)

func TestErrorsAreMatchedByReason(t *testing.T) {
	err := fmt.Errorf("apply: %w", candor.Errorf(candor.ReasonConflict, "pods/a is at 7, not at 5"))
	if !errors.Is(err, &candor.Error{Reason: candor.ReasonConflict}) {
		t.Error("an error must match its reason")
	}
	if errors.Is(err, &candor.Error{Reason: candor.ReasonNotFound}) {
		t.Error("an error must not match another reason")
	}
	if errors.Is(err, &candor.Error{Reason: candor.ReasonConflict, Message: "pods/a is at 7, not at 5"}) {
		t.Error("a message must never be what is matched")
	}
}

func TestReasonOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want candor.Reason
	}{
		{nil, ""},
		{io.EOF, candor.ReasonInternal},
		{fmt.Errorf("x: %w", &candor.Error{Reason: candor.ReasonTimedOut}), candor.ReasonTimedOut},
	} {
		if got := candor.ReasonOf(c.err); got != c.want {
			t.Errorf("ReasonOf(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestWrapAddsTheOperationAndKeepsTheRest(t *testing.T) {
	if candor.Wrap("get", nil) != nil {
		t.Error("nil must stay nil")
	}
	inner := &candor.Error{Reason: candor.ReasonNotFound, Message: "no such pod", Subject: "pods/a"}
	outer := candor.Wrap("cli", candor.Wrap("get", inner))
	if got, want := outer.Error(), "cli: get: no such pod (NOT_FOUND)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if inner.Op != "" {
		t.Errorf("wrapping changed the wrapped error: %+v", inner)
	}
	var e *candor.Error
	if !errors.As(outer, &e) || e.Subject != "pods/a" {
		t.Errorf("the subject is lost: %+v", e)
	}
	foreign := candor.Wrap("read log", io.ErrUnexpectedEOF)
	if candor.ReasonOf(foreign) != candor.ReasonInternal || !errors.Is(foreign, io.ErrUnexpectedEOF) {
		t.Errorf("an error of another type must become INTERNAL and stay the cause: %v", foreign)
	}
}

func TestErrorfKeepsTheCause(t *testing.T) {
	err := candor.Errorf(candor.ReasonDataCorrupt, "segment 3: %w", io.ErrUnexpectedEOF)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if got, want := err.Error(), "segment 3: unexpected EOF (DATA_CORRUPT)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
