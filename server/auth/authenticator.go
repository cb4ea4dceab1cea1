// Package auth says who makes a request.
//
// A name counts as authenticated only by a certificate of the cluster, or by a token
// that the newest view of this node knows and that has not expired; what the caller says of itself besides may
// agree and not differ. While access control is off a caller without a token is
// believed. Package server makes it; the API asks it for every request.
package auth

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Metadata keys of a request.
const (
	// actorKey is what a caller says of itself.
	actorKey = "candor-actor"
	// tokenKey holds "Bearer TOKEN".
	tokenKey = "authorization"
	scheme   = "Bearer "
)

// Authenticator finds the principal of requests. It may be called concurrently.
type Authenticator struct {
	// View is the newest one of this node.
	View func() *fsm.View
}

// Authenticate returns who makes the request of ctx, as far as that is proven, with
// an error too. The error is UNAUTHENTICATED
// for a token that is none, FORBIDDEN for the name of somebody else.
func (a *Authenticator) Authenticate(ctx context.Context) (candor.Principal, error) {
	claimed := first(ctx, actorKey)
	if claimed == candor.ActorSystem {
		return candor.Principal{}, candor.Errorf(candor.ReasonForbidden, "nobody acts as %s but the cluster itself", claimed)
	}
	var shown *certificate
	if caller, ok := peer.FromContext(ctx); ok {
		if info, ok := caller.AuthInfo.(connection); ok {
			shown = info.shown
		}
	}
	return a.known(first(ctx, tokenKey), shown, claimed)
}

// Known is Authenticate by what came along: "Bearer TOKEN" or nothing, and the
// state of a TLS connection or nil. A token counts before a certificate.
func (a *Authenticator) Known(bearer string, state *tls.ConnectionState) (candor.Principal, error) {
	return a.known(bearer, shownOn(state), "")
}

func (a *Authenticator) known(bearer string, shown *certificate, claimed string) (p candor.Principal, err error) {
	switch {
	case bearer != "":
		if p, err = a.bearer(bearer); err != nil {
			return candor.Principal{}, err
		}
	case shown != nil:
		if shown.err != nil {
			return candor.Principal{}, shown.err
		}
		p = candor.Principal{Actor: shown.actor, Proof: candor.ProofCertificate}
	case claimed == "":
		return candor.Principal{Actor: candor.ActorAnonymous, Proof: candor.ProofNone}, nil
	default:
		return candor.Principal{Actor: claimed, Proof: candor.ProofNone}, nil
	}
	if claimed != "" && claimed != p.Actor {
		return p, candor.Errorf(candor.ReasonForbidden, "the caller's %s is of %s, and the request names %s: nobody acts as somebody else", p.Proof, p.Actor, claimed)
	}
	return p, nil
}

func (a *Authenticator) bearer(text string) (candor.Principal, error) {
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return candor.Principal{}, candor.Errorf(candor.ReasonUnauthenticated, "authorization: want Bearer TOKEN")
	}
	b, err := candor.ParseBearer(text[len(scheme):])
	if err != nil {
		return candor.Principal{}, err
	}
	policy := a.View().Policy()
	token, known := policy.Token(b.Accessor)
	hash := b.Hash()
	// Whether the accessor or the secret is wrong is not told.
	if subtle.ConstantTimeCompare(hash[:], token.Hash[:]) != 1 || !known || token.Use != "" {
		return candor.Principal{}, candor.Errorf(candor.ReasonUnauthenticated, "the token is not known here: it was revoked, or this node has not heard of it yet")
	}
	if err := policy.Holds(b.Accessor, token.Actor, time.Now().UnixNano()); err != nil {
		return candor.Principal{}, err
	}
	return candor.Principal{Actor: token.Actor, Proof: candor.ProofToken, Accessor: b.Accessor}, nil
}

func first(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}
