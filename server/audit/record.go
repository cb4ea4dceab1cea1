package audit

import (
	"strings"
	"time"
	"unicode/utf8"

	candor "github.com/candor-plane/candor"
)

// Verdict is what became of a request.
type Verdict string

// The verdicts. The last two are the log's own: records about missing ones.
const (
	Allowed Verdict = "ALLOWED" // done
	Denied  Verdict = "DENIED"  // refused for want of a right or of an identity
	Failed  Verdict = "FAILED"  // refused or failed for another reason, or its outcome is unknown

	Lost    Verdict = "LOST"    // Count records could not be written
	Omitted Verdict = "OMITTED" // Count handshakes were left out by the rate bound
)

// Authentication is how the actor is known.
type Authentication string

// The ways. ByNone says that the actor, where it is not "anonymous", is the
// caller's own word.
const (
	ByCertificate Authentication = "certificate"
	ByToken       Authentication = "token"
	ByNone        Authentication = "none"
)

// Methods of what has no gRPC method.
const (
	MethodTLSHandshake  = "tls-handshake"
	MethodRaftHandshake = "raft-handshake"
)

// Record is one event. A zero field is left out of the line. Strings may hold
// anything; MaxString and MaxMessage bound them.
type Record struct {
	// Time is when it was decided; zero for the moment of Commit.
	Time            time.Time
	Actor           string
	AuthenticatedBy Authentication
	// Accessor is the token's, or the certificate's serial number.
	Accessor string
	// Source is the remote address.
	Source string
	// Method is the full gRPC method, or one of the constants above.
	Method    string
	Verb      string
	Kind      string
	Namespace string
	Name      string
	Section   string
	Verdict   Verdict
	// Reason is why it was not done.
	Reason  candor.Reason
	Message string
	// RootToken is where a write was accepted or a read was served.
	RootToken candor.Token
	RequestID string
	// PolicyRevision is that of the policy which decided.
	PolicyRevision uint64
	// Duration is rounded up to microseconds.
	Duration time.Duration

	cut cuts
	own own
}

// own is what only the log's own records hold.
type own struct {
	count, unsynced uint64
	since           time.Time
}

// The bounds of strings in bytes, before they are written as JSON. What is longer
// is cut at a character's border, and the line's "cut" names the key.
const (
	MaxString  = 512
	MaxMessage = 2048
)

// cuts has a bit for each string that was cut, in the order of cutNames.
type cuts uint16

var cutNames = [...]string{
	"actor", "authenticatedBy", "accessor", "source", "method", "verb", "kind", "namespace",
	"name", "section", "verdict", "reason", "message", "requestId",
}

// bound cuts what is too long, so that what waits in memory is bounded too. It
// allocates only when it cuts.
func (r *Record) bound() {
	r.cut = 0
	cut(&r.Actor, MaxString, 0, &r.cut)
	cut(&r.AuthenticatedBy, MaxString, 1, &r.cut)
	cut(&r.Accessor, MaxString, 2, &r.cut)
	cut(&r.Source, MaxString, 3, &r.cut)
	cut(&r.Method, MaxString, 4, &r.cut)
	cut(&r.Verb, MaxString, 5, &r.cut)
	cut(&r.Kind, MaxString, 6, &r.cut)
	cut(&r.Namespace, MaxString, 7, &r.cut)
	cut(&r.Name, MaxString, 8, &r.cut)
	cut(&r.Section, MaxString, 9, &r.cut)
	cut(&r.Verdict, MaxString, 10, &r.cut)
	cut(&r.Reason, MaxString, 11, &r.cut)
	cut(&r.Message, MaxMessage, 12, &r.cut)
	cut(&r.RequestID, MaxString, 13, &r.cut)
}

func cut[S ~string](s *S, most int, bit uint, into *cuts) {
	if len(*s) <= most {
		return
	}
	text := string(*s)
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	*s = S(strings.Clone(text[:end]))
	*into |= 1 << bit
}
