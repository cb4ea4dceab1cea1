package grpcapi

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc/peer"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Recorder keeps account of who asked for what, and what became of it.
type Recorder interface {
	// Begin takes room for the account of a request before it acts; nil where none
	// is kept of what is done. The error refuses the request.
	Begin(ctx context.Context, class candor.AdmissionClass) (Account, error)
	// Refused accounts for a request that has no Account, if it was refused for want
	// of a right or an identity.
	Refused(ctx context.Context, n Note)
}

// Account is room for one note.
type Account interface{ End(n Note) }

// Note is who asked for what, and what became of it.
type Note struct {
	Principal candor.Principal
	// Source is the caller's address.
	Source, Method string
	Ask            policy.Ask
	RequestID      string
	// Token is where a write was accepted.
	Token          candor.Token
	PolicyRevision uint64
	// Err is why it was not done.
	Err  error
	Took time.Duration
}

// note describes a request and its answer; nil for those that are not known.
func (d *door) note(ctx context.Context, method string, in, out any, err error, began time.Time) Note {
	n := Note{Principal: PrincipalOf(ctx), Method: method, Err: err, Ask: rights[method].ask}
	if !began.IsZero() {
		n.Took = time.Since(began)
	}
	if caller, ok := peer.FromContext(ctx); ok && caller.Addr != nil {
		n.Source = caller.Addr.String()
	}
	if view := d.entrance.View(); view.AccessEpoch() != 0 {
		n.PolicyRevision = view.Policy().Revision()
	}
	if n.Ask.Verb == "" {
		n.Ask.Verb = policy.Verb(strings.ToLower(method[strings.LastIndexByte(method, '/')+1:]))
	}
	describe(&n, in)
	if answer, ok := out.(interface {
		GetResult() *candorv1.WriteResult
	}); ok && err == nil {
		n.Token = convert.TokenFromProto(answer.GetResult().GetAcceptedRootToken())
	}
	return n
}

// describe says what the request is about, as far as it says it itself.
func describe(n *Note, in any) {
	if named, ok := in.(interface{ GetName() string }); ok {
		n.Ask.Name = named.GetName()
	}
	if server, ok := in.(interface{ GetServer() string }); ok {
		n.Ask.Name = server.GetServer()
	}
	if placed, ok := in.(interface{ GetNamespace() string }); ok {
		n.Ask.Namespace = placed.GetNamespace()
	}
	if of, ok := in.(interface{ GetKind() string }); ok && n.Ask.Kind == "" {
		n.Ask.Kind = of.GetKind()
	}
	if holds, ok := in.(interface{ GetObject() *candorv1.Object }); ok {
		if o := convert.ObjectFromProto(holds.GetObject()); o != nil {
			n.Ask.Kind, n.Ask.Namespace, n.Ask.Name = o.Kind, o.Metadata.Namespace, o.Metadata.Name
		}
	}
	if writes, ok := in.(interface {
		GetWrite() *candorv1.WriteOptions
	}); ok {
		n.RequestID = writes.GetWrite().GetRequestId()
	}
}
