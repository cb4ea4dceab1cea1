package identity

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strings"

	"github.com/candor-plane/candor"
)

// remoteAlert is what package net's errors call an alert of the other side.
const remoteAlert = "remote error"

// Explain makes a candor.Error of how a handshake, or the first read after it,
// failed; nil for nil. Refusals by a configuration of [Source] stay as they are.
// UNAUTHENTICATED is either side's refusal, or a side that speaks something else;
// TIMED_OUT and UNAVAILABLE are the network's.
//
// In TLS 1.3 a client learns that its certificate was refused only when it first
// reads, and only by an alert: the reason is with the server.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	if _, typed := errors.AsType[*candor.Error](err); typed {
		return err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == remoteAlert {
		return candor.Errorf(candor.ReasonUnauthenticated, "the other side refused this one (%s): see there why; likely its certificate is missing, expired, of another authority, or not for this use: %w", op.Err.Error(), err)
	}
	if header, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return candor.Errorf(candor.ReasonUnauthenticated, "the other side does not speak TLS (%s): use the right port, or the same TLS settings on both sides: %w", header.Msg, err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return candor.Errorf(candor.ReasonTimedOut, "the TLS handshake did not end in time: %w", err)
	}
	if strings.HasPrefix(err.Error(), "tls: ") {
		return candor.Errorf(candor.ReasonUnauthenticated, "the TLS handshake failed: %w", err)
	}
	return candor.Errorf(candor.ReasonUnavailable, "the connection ended in the TLS handshake: %w", err)
}
