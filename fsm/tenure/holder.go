package tenure

import (
	"strings"

	"github.com/candor-plane/candor"
)

const (
	serverPrefix = string(candor.PartyServer) + "/"
	clientPrefix = string(candor.PartyClient) + "/"

	maxHolder    = 260
	maxCandidacy = 64
)

// HolderOf is the holder that an authenticated actor is: "server/ID" for a server
// and "client/NAME" for a client, whose actor is its bare name. Nobody else holds
// a tenure: FORBIDDEN.
func HolderOf(actor string) (string, *candor.Error) {
	holder := actor
	if !isServer(actor) {
		holder = clientPrefix + actor
	}
	nobody := actor == candor.ActorSystem || actor == candor.ActorAnonymous
	if nobody || !isServer(actor) && strings.Contains(actor, "/") || checkHolder(holder) != nil {
		return "", refused(reasonForbidden, "", "%q cannot hold a tenure: servers and authenticated clients can", clip(actor))
	}
	return holder, nil
}

func isServer(holder string) bool { return strings.HasPrefix(holder, serverPrefix) }

func checkHolder(holder string) *candor.Error {
	name, ok := strings.CutPrefix(holder, serverPrefix)
	if !ok {
		name, ok = strings.CutPrefix(holder, clientPrefix)
	}
	if !ok || name == "" || len(holder) > maxHolder || !plain(holder) {
		return refused(reasonInvalid, "", "%q is no holder: want server/ID or client/NAME, at most %d printable ASCII characters without space, quote and backslash",
			clip(holder), maxHolder)
	}
	return nil
}

func checkCandidacy(candidacy string) *candor.Error {
	if candidacy == "" || len(candidacy) > maxCandidacy || !plain(candidacy) {
		return refused(reasonInvalid, "", "candidacy %q: want 1 to %d printable ASCII characters without space, quote and backslash, drawn anew for every campaign",
			clip(candidacy), maxCandidacy)
	}
	return nil
}

// plain texts need no escape in JSON.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// clip keeps a hostile input from filling a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
