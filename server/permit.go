package server

import (
	"net/http"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
)

// Permit lets see metrics and profiles: whoever has the right to diagnostics; while
// access control is off, any party of the cluster where parties prove who they are,
// and otherwise everybody.
func (p *probe) Permit(r *http.Request) error {
	view := p.s.machine.View()
	if view.AccessEpoch() == 0 && r.TLS == nil {
		return nil
	}
	who, err := p.s.authenticator.Known(r.Header.Get("Authorization"), r.TLS)
	switch {
	case err != nil:
		return err
	case !who.Verified():
		return candor.Errorf(candor.ReasonUnauthenticated, "metrics and profiles are for those who prove who they are: by a certificate of the cluster or a token")
	case view.AccessEpoch() == 0:
		return nil
	}
	if err := view.Policy().Check(who.Actor, policy.Ask{Verb: policy.Get, Kind: policy.Diagnostics}); err != nil {
		return err
	}
	return nil
}
