package grpcapi

import (
	"context"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
)

const serverActor = string(candor.PartyServer) + "/"

// isServer says that the caller has proven to be a server of this cluster.
func isServer(p candor.Principal) bool {
	return p.Proof == candor.ProofCertificate && strings.HasPrefix(p.Actor, serverActor)
}

// may is nil when the principal may do that by the view's policy. Where access
// control is off everybody may everything.
func may(view *fsm.View, p candor.Principal, ask policy.Ask) error {
	if view.AccessEpoch() == 0 {
		return nil
	}
	if err := authenticated(view, p); err != nil {
		return err
	}
	if err := view.Policy().Check(p.Actor, ask); err != nil {
		return err
	}
	return nil
}

// authenticated is nil while the principal is known for sure, by the view.
func authenticated(view *fsm.View, p candor.Principal) error {
	switch {
	case view.AccessEpoch() == 0:
		return nil
	case !p.Verified():
		return candor.Errorf(candor.ReasonUnauthenticated, "access control is on, and the request has no token: set CANDOR_TOKEN or --token-file")
	case p.Proof != candor.ProofToken:
		return nil
	}
	if err := view.Policy().Holds(p.Accessor, p.Actor, time.Now().UnixNano()); err != nil {
		return err
	}
	return nil
}

// mayRead judges a read of objects on the view that serves it.
func mayRead(ctx context.Context, view *fsm.View, verb policy.Verb, kind, namespace, name string) error {
	return may(view, PrincipalOf(ctx), policy.Ask{Verb: verb, Kind: kind, Namespace: namespace, Name: name})
}

// mayOperate judges operations before they are proposed: the turn judges again.
func mayOperate(ctx context.Context, view *fsm.View, branches ...[]command.Operation) error {
	if view.AccessEpoch() == 0 {
		return nil
	}
	p := PrincipalOf(ctx)
	for _, branch := range branches {
		for i := range branch {
			if err := may(view, p, fsm.AskOf(&branch[i], branch[i].Ref())); err != nil {
				return err
			}
		}
	}
	return nil
}
