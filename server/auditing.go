package server

import (
	"context"
	"path/filepath"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/audit"
	"github.com/candor-plane/candor/server/grpcapi"
)

// Audit is what is kept of who did what.
type Audit struct {
	// Level is none, denials, writes (when empty) or all.
	Level string
	// Required refuses requests that cannot be recorded.
	Required bool
}

// openAudit begins the audit log of a server that has a data directory.
func (s *Server) openAudit() error {
	level, err := audit.ParseLevel(orWrites(s.config.Audit.Level))
	if err != nil {
		return candor.Wrap("--audit", err)
	}
	if s.config.Data == "" || level == audit.LevelNone {
		return nil
	}
	s.audit, err = audit.Open(audit.Options{
		Dir: filepath.Join(s.config.Data, "audit"), Node: s.config.Name, NodeID: s.serverID, BootID: s.bootID,
		Level: level, Required: s.config.Audit.Required, Logger: s.logger.Named("audit"),
	})
	return candor.Wrap("--audit", err)
}

func orWrites(level string) string {
	if level == "" {
		return string(audit.LevelWrites)
	}
	return level
}

func (s *Server) closeAudit() error {
	if s.audit == nil {
		return nil
	}
	return s.audit.Close()
}

// Begin takes room for the record of a request.
func (e *entrance) Begin(ctx context.Context, class candor.AdmissionClass) (grpcapi.Account, error) {
	log := e.s.audit
	if log == nil || !log.Wants(auditClass(class), audit.Allowed) {
		return nil, nil //nolint:nilnil // none is kept
	}
	ticket, err := log.Reserve(ctx)
	if err != nil {
		return nil, err
	}
	return &account{ticket, e.kinds}, nil
}

// Refused records a denial.
func (e *entrance) Refused(ctx context.Context, n grpcapi.Note) {
	log := e.s.audit
	if log == nil || verdictOf(n.Err) != audit.Denied || !log.Wants(audit.ClassRead, audit.Denied) {
		return
	}
	ticket, err := log.Reserve(ctx)
	if err != nil {
		return // the request is refused as it is, and the log counts what it lacks
	}
	ticket.Commit(recordOf(&n, e.kinds))
}

// account is room for one record.
type account struct {
	ticket audit.Ticket
	kinds  registry
}

// End writes the record.
func (a *account) End(n grpcapi.Note) { a.ticket.Commit(recordOf(&n, a.kinds)) }

// auditTail has the API read the log.
type auditTail struct{ s *Server }

// Tail gives emit the lines that the query chooses.
func (t auditTail) Tail(ctx context.Context, q grpcapi.AuditQuery, emit func(line []byte) error) error {
	o := audit.TailOptions{Last: int(q.Last), Follow: q.Follow, Filter: audit.Filter{Actor: q.Actor, Method: q.Method, Kind: q.Kind}}
	switch v := audit.Verdict(q.Verdict); v {
	case "":
	case audit.Allowed, audit.Denied, audit.Failed:
		o.Filter.Verdicts = []audit.Verdict{v}
	default:
		return candor.Errorf(candor.ReasonInvalid, "audit verdict %q: want %s, %s or %s", v, audit.Allowed, audit.Denied, audit.Failed)
	}
	if t.s.audit == nil {
		return candor.Errorf(candor.ReasonUnavailable, "server %s keeps no audit log: it has no data directory, or was started with --audit none", t.s.config.Name)
	}
	return t.s.audit.Tail(ctx, o, emit)
}

func auditClass(class candor.AdmissionClass) audit.Class {
	if class == candor.AdmitRead {
		return audit.ClassRead
	}
	return audit.ClassWrite
}

func verdictOf(err error) audit.Verdict {
	if err == nil {
		return audit.Allowed
	}
	switch candor.ReasonOf(err) {
	case candor.ReasonForbidden, candor.ReasonUnauthenticated:
		return audit.Denied
	default:
		return audit.Failed
	}
}

func recordOf(n *grpcapi.Note, kinds registry) audit.Record {
	r := audit.Record{
		Actor: n.Principal.Actor, AuthenticatedBy: audit.Authentication(n.Principal.Proof), Accessor: n.Principal.Accessor,
		Source: n.Source, Method: n.Method, Verb: string(n.Ask.Verb), Kind: n.Ask.Kind, Namespace: n.Ask.Namespace, Name: n.Ask.Name,
		Section: string(n.Ask.Section), Verdict: verdictOf(n.Err), RootToken: n.Token, RequestID: n.RequestID,
		PolicyRevision: n.PolicyRevision, Duration: n.Took,
	}
	if n.APIVersion != "" {
		// A kind that there is not stands as it was given.
		if k, err := kinds.ByType(n.APIVersion, n.Ask.Kind); err == nil {
			r.Kind = string(k.Name())
		}
	}
	if n.Err != nil {
		r.Reason, r.Message = candor.ReasonOf(n.Err), n.Err.Error()
	}
	if r.Actor == "" {
		r.Actor, r.AuthenticatedBy = candor.ActorAnonymous, audit.ByNone
	}
	return r
}
