package cli_test

import (
	"context"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// access stands for a server's word on who may do what: ana is an operator, who
// may do all but to tokens.
type access struct {
	shelf   *shelf
	address string
}

func (a access) WhoAmI(context.Context) (*client.Self, error) {
	w := a.shelf.witness()
	self := &client.Self{
		Actor: "ana", Proof: candor.ProofToken, Accessor: "abc", Roles: []string{"operator", "viewer"}, AccessEpoch: 2, PolicyRevision: 970, Witness: &w,
	}
	if a.shelf.endpoint.Token == "" {
		self.Proof, self.Accessor, self.Roles = candor.ProofNone, "", nil
	}
	return self, a.shelf.refuse("whoami")
}

func (a access) CanI(_ context.Context, ask client.Ask) (*client.Verdict, error) {
	a.shelf.log = append(a.shelf.log, fmt.Sprintf("judge %+v", ask))
	w := a.shelf.witness()
	v := &client.Verdict{Allowed: true, Role: "operator", AccessEpoch: 2, PolicyRevision: 970, Witness: &w}
	if ask.Kind == string(candor.KindTokens) {
		v.Allowed, v.Role, v.Message = false, "", "ana may not "+ask.Verb+" tokens.candor"
	}
	return v, a.shelf.refuse("can-i")
}

// Open does not note what is never the same: the token.
func (a access) Open(_ context.Context, o client.Opening) (uint64, error) {
	a.shelf.log = append(a.shelf.log, fmt.Sprintf("open as %s until %s, reset %t, at %q, with token %t",
		o.Actor, o.Expires.Format(client.TokenTime), o.Reset, a.address, a.shelf.endpoint.Token != ""))
	return 1, a.shelf.refuse("open")
}
