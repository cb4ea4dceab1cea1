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
	// Ask is what was asked for. Its kind is the name of one, or where APIVersion is
	// not empty what an object of it says that it is.
	Ask        policy.Ask
	APIVersion string
	RequestID  string
	// Token is where a write was accepted.
	Token          candor.Token
	PolicyRevision uint64
	// Err is why it was not done.
	Err  error
	Took time.Duration
}

// note describes the request and what became of it.
func (v *visit) note(out any, err error) Note {
	n := Note{Principal: PrincipalOf(v.ctx), Method: v.name, Err: err, Ask: v.method.ask, PolicyRevision: v.door.entrance.View().PolicyRevision()}
	if v.proved != nil && v.proved.Verified() && !n.Principal.Verified() {
		n.Principal = *v.proved
	}
	if !v.began.IsZero() {
		n.Took = time.Since(v.began)
	}
	if caller, ok := peer.FromContext(v.ctx); ok && caller.Addr != nil {
		n.Source = caller.Addr.String()
	}
	if n.Ask.Verb == "" {
		n.Ask.Verb = policy.Verb(strings.ToLower(v.name[strings.LastIndexByte(v.name, '/')+1:]))
	}
	describe(&n, v.asked)
	if answer, ok := out.(interface {
		GetResult() *candorv1.WriteResult
	}); ok && err == nil {
		n.Token = convert.TokenFromProto(answer.GetResult().GetAcceptedRootToken())
	}
	if made, ok := out.(interface{ GetFingerprint() string }); ok && err == nil {
		n.Ask.Name = made.GetFingerprint()
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
	// A key that was given where its fingerprint was asked for is not written down.
	if keyed, ok := in.(interface{ GetFingerprint() string }); ok && len(keyed.GetFingerprint()) == fingerprintDigits {
		n.Ask.Name = keyed.GetFingerprint()
	}
	if placed, ok := in.(interface{ GetNamespace() string }); ok {
		n.Ask.Namespace = placed.GetNamespace()
	}
	if of, ok := in.(interface{ GetKind() string }); ok && n.Ask.Kind == "" {
		n.Ask.Kind = of.GetKind()
	}
	if holds, ok := in.(interface{ GetObject() *candorv1.Object }); ok {
		o := holds.GetObject()
		n.APIVersion, n.Ask.Kind, n.Ask.Namespace, n.Ask.Name = o.GetApiVersion(), o.GetKind(), o.GetMetadata().GetNamespace(), o.GetMetadata().GetName()
	}
	if writes, ok := in.(interface {
		GetWrite() *candorv1.WriteOptions
	}); ok {
		n.RequestID = writes.GetWrite().GetRequestId()
	}
}
