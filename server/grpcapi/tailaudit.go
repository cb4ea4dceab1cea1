package grpcapi

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// AuditLog is the account that this node keeps of who did what.
type AuditLog interface {
	// Tail gives emit the lines that the query chooses, each once and in order, with
	// its newline. A line is emit's until it returns; an error of emit ends it and is
	// returned. With Follow it goes on until ctx ends or the log is closed.
	Tail(ctx context.Context, q AuditQuery, emit func(line []byte) error) error
}

// AuditQuery chooses lines. An empty field chooses all.
type AuditQuery struct {
	// Last is how many of the chosen lines before now come first; -1 for all.
	Last int64
	// Follow goes on with what is written from then on.
	Follow                 bool
	Actor, Verdict, Method string
	Kind                   string
}

// rejudged is how often it is looked whether whoever reads the audit log still
// may, where no role changes: a token expires by the clock.
const rejudged = 10 * time.Second

var auditRight = policy.Ask{Verb: policy.Get, Kind: policy.Audit}

// TailAudit sends lines of the audit log. It ends once the caller may not read it
// any more.
func (s *Nodes) TailAudit(in *candorv1.TailAuditRequest, stream grpc.ServerStreamingServer[candorv1.TailAuditResponse]) error {
	method, err := methodMeant(in.GetMethod())
	if err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(stream.Context())
	var guard sync.WaitGroup
	defer guard.Wait()
	defer end(nil)
	_, rights := s.changes.Rights()
	if err := s.mayAudit(ctx); err != nil {
		return err
	}
	// A reader who waits for what comes shall know that it is let in.
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	guard.Go(func() { s.guardAudit(ctx, rights, end) })
	q := AuditQuery{Last: in.GetLast(), Follow: in.GetFollow(), Actor: in.GetActor(), Verdict: in.GetVerdict(), Method: method, Kind: in.GetKind()}
	if q.Last < 0 {
		q.Last = -1
	}
	err = s.audit.Tail(ctx, q, func(line []byte) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return stream.Send(&candorv1.TailAuditResponse{Line: bytes.TrimSuffix(line, []byte("\n"))})
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// guardAudit ends the stream when its reader's right goes, or this server.
func (s *Nodes) guardAudit(ctx context.Context, rights <-chan struct{}, end context.CancelCauseFunc) {
	clock := time.NewTicker(rejudged)
	defer clock.Stop()
	for {
		select {
		case <-rights:
			_, rights = s.changes.Rights()
		case <-clock.C:
		case <-s.stopping:
			end(&candor.Error{Reason: candor.ReasonShuttingDown, Message: "the server stops, and its audit log can be read again once it is back"})
			return
		case <-ctx.Done():
			return
		}
		if err := s.mayAudit(ctx); err != nil {
			end(err)
			return
		}
	}
}

func (s *Nodes) mayAudit(ctx context.Context) error {
	return may(s.machine.View(), PrincipalOf(ctx), auditRight)
}

// methodMeant is the full name of a method that may be given by its last part, as
// people do. A full name may be of a method that this version has no more.
func methodMeant(name string) (string, error) {
	if name == "" || strings.HasPrefix(name, "/") || strings.HasSuffix(name, handshakes) {
		return name, nil
	}
	for full := range methods {
		if strings.HasSuffix(full, "/"+name) || strings.HasSuffix(full, "."+name) {
			return full, nil
		}
	}
	return "", candor.Errorf(candor.ReasonInvalid, "method %q: want one such as Create, ObjectService/Create or tls-handshake", name)
}

// handshakes are on record beside the methods.
const handshakes = "-handshake"
