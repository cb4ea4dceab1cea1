package grpcapi

import (
	"context"

	"github.com/candor-plane/candor"
)

type principalKey struct{}

// withPrincipal gives the request's context who makes it.
func withPrincipal(ctx context.Context, p candor.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

type proofKey struct{}

// withProof lets prove say who makes the request; p is written while it is handled.
func withProof(ctx context.Context, p *candor.Principal) context.Context {
	return context.WithValue(ctx, proofKey{}, p)
}

// prove notes whom the request itself has shown to make it, for its account.
func prove(ctx context.Context, p candor.Principal) {
	if to, ok := ctx.Value(proofKey{}).(*candor.Principal); ok {
		*to = p
	}
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
