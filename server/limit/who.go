package limit

import (
	"net/netip"
	"strings"

	"github.com/candor-plane/candor"
)

// Who is the party that a request counts for. The zero Who is everybody whose
// name and address are unknown; they share one set of limits.
type Who struct {
	key  string
	peer bool
}

// serverPrefix begins the actor of a server and of nobody else.
const serverPrefix = string(candor.PartyServer) + "/"

// Actor is an authenticated party, by its actor. A server of the cluster is a
// peer: it has the reserved places, and no rate or share binds it.
func Actor(actor string) Who {
	return Who{key: actor, peer: strings.HasPrefix(actor, serverPrefix)}
}

// Address is whoever did not say who it is and came from that address; an IPv6
// /64 counts as one. No actor has the same key.
func Address(from netip.Addr) Who {
	return Who{key: candor.ActorAnonymous + "/" + source(from).String()}
}

// Key is how diagnostics call the party.
func (w Who) Key() string {
	if w.key == "" {
		return candor.ActorAnonymous
	}
	return w.key
}

// source is what counts as one origin: an IPv4 address, or an IPv6 /64, which is
// what one subscriber gets (RFC 6177). The zone names an interface of this host,
// and is dropped.
func source(from netip.Addr) netip.Addr {
	from = from.Unmap().WithZone("")
	if !from.Is6() {
		return from
	}
	prefix, err := from.Prefix(64)
	if err != nil {
		return from
	}
	return prefix.Addr()
}
