package policy

import (
	"encoding/hex"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/literal"
)

// UseJoin is that of a token which lets one server join, once.
const UseJoin = "join"

// Token is a bearer token, without its secret.
type Token struct {
	// Actor is who its bearer is.
	Actor string
	// Hash is the SHA-256 of the secret.
	Hash [32]byte
	// Expires is in nanoseconds since 1970.
	Expires int64
	// Use is empty, or UseJoin.
	Use string
	// until is Expires as it was written.
	until string
}

// Token finds one by its accessor.
func (p *Policy) Token(accessor string) (Token, bool) {
	t, ok := p.tokens[accessor]
	return t, ok
}

// Expired names tokens that expired before a time in nanoseconds since 1970, the first
// by name, at most limit.
func (p *Policy) Expired(before int64, limit int) []string {
	var out []string
	//candor:unordered sorted below
	for accessor, t := range p.tokens {
		if t.Expires < before {
			out = append(out, accessor)
		}
	}
	slices.Sort(out)
	return out[:min(limit, len(out))]
}

// Holds is nil while the token exists, speaks for the actor and has not expired at
// a time in nanoseconds since 1970; otherwise UNAUTHENTICATED.
func (p *Policy) Holds(accessor, actor string, now int64) *candor.Error {
	t, ok := p.tokens[accessor]
	switch {
	case !ok:
		return candor.Errorf(candor.ReasonUnauthenticated, "token %s does not exist any more", accessor)
	case t.Actor != actor:
		return candor.Errorf(candor.ReasonUnauthenticated, "token %s speaks for %s, not for %s", accessor, t.Actor, actor)
	case now >= t.Expires:
		return candor.Errorf(candor.ReasonUnauthenticated, "token %s expired at %s", accessor, t.until)
	default:
		return nil
	}
}

func readToken(spec []byte) (Token, bool) {
	var t Token
	var ok bool
	if !literal.Plain(spec) {
		return t, false
	}
	if t.Actor, ok = literal.Text(literal.Member(spec, "actor")); !ok || candor.CheckActor(t.Actor) != nil {
		return t, false
	}
	hash, ok := literal.Text(literal.Member(spec, "hash"))
	if !ok || len(hash) != 2*len(t.Hash) {
		return t, false
	}
	if _, err := hex.Decode(t.Hash[:], []byte(hash)); err != nil {
		return t, false
	}
	expires, ok := literal.Text(literal.Member(spec, "expires"))
	if !ok {
		return t, false
	}
	if t.Expires, ok = readTime(expires); !ok {
		return t, false
	}
	t.until = expires
	if use := literal.Member(spec, "use"); use != nil {
		if t.Use, ok = literal.Text(use); !ok || t.Use != UseJoin {
			return t, false
		}
	}
	return t, true
}

// readTime reads 2026-11-21T12:00:00Z and no other form: a parser of more might
// read something else in another build.
func readTime(text string) (int64, bool) {
	const form = "0000-00-00T00:00:00Z"
	if len(text) != len(form) {
		return 0, false
	}
	var parts [6]int
	at := 0
	for i := range len(form) {
		switch {
		case form[i] != '0':
			if text[i] != form[i] {
				return 0, false
			}
			at++
		case text[i] < '0' || text[i] > '9':
			return 0, false
		default:
			parts[at] = parts[at]*10 + int(text[i]-'0')
		}
	}
	if parts[0] < 1971 || parts[0] > 2261 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31 || parts[3] > 23 || parts[4] > 59 || parts[5] > 59 {
		return 0, false
	}
	seconds := days(parts[0], parts[1], parts[2])*86400 + parts[3]*3600 + parts[4]*60 + parts[5]
	return int64(seconds) * 1e9, true
}

// days counts from 1970-01-01 to a date of the Gregorian calendar. The year is
// taken to begin in March, so that the leap day is its last.
func days(year, month, day int) int {
	if month < 3 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
