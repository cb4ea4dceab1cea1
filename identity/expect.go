package identity

import (
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// OneOf expects a party of one of these kinds.
func OneOf(parties ...candor.Party) func(candor.Identity) error {
	if len(parties) == 0 {
		panic("identity: OneOf without a party expects nobody")
	}
	return func(id candor.Identity) error {
		if !slices.Contains(parties, id.Party) {
			return candor.Errorf(candor.ReasonUnauthenticated, "this is %s; want a %s", id.URI(), alternatives(parties))
		}
		return nil
	}
}

// Exactly expects that one party of the cluster.
func Exactly(party candor.Party, name string) func(candor.Identity) error {
	if party == "" || name == "" {
		panic("identity: Exactly needs a party and a name")
	}
	return func(id candor.Identity) error {
		if id.Party != party || id.Name != name {
			return candor.Errorf(candor.ReasonUnauthenticated, "this is %s; want %s/%s: the address leads to another, or its certificate was issued for another", id.URI(), party, name)
		}
		return nil
	}
}

func alternatives(parties []candor.Party) string {
	names := make([]string, len(parties))
	for i, party := range parties {
		names[i] = string(party)
	}
	return strings.Join(names, " or ")
}
