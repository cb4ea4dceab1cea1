package grpcapi

import (
	"context"

	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
)

type principalKey struct{}

// withPrincipal gives the request's context who makes it.
func withPrincipal(ctx context.Context, p candor.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf is who makes the request of ctx.
func PrincipalOf(ctx context.Context) candor.Principal {
	if p, ok := ctx.Value(principalKey{}).(candor.Principal); ok {
		return p
	}
	return candor.Principal{Actor: candor.ActorAnonymous, Proof: candor.ProofNone}
}

// ActorOf is the name under which the request of ctx is made.
func ActorOf(ctx context.Context) string { return PrincipalOf(ctx).Actor }

// knownStream is a stream whose context says who began it.
type knownStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // it is the stream's
}

func (s *knownStream) Context() context.Context { return s.ctx }
