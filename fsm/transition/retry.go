package transition

import "github.com/candor-plane/candor"

// The pauses between attempts, in nanoseconds: doubled each time, up to the longest.
const (
	firstPause   = int64(100e6)
	longestPause = int64(10e9)
)

// Attempt is a publish or an execution that failed, and the surroundings it failed
// in.
type Attempt struct {
	Retry candor.RetryClass
	// At is cluster time, Count how many attempts have failed so far.
	At    int64
	Count int
	// Required is the token that WAIT_FOR_TOKEN waits for.
	Required candor.Token
	Seen     Surroundings
}

// Surroundings are what an attempt depends on: who leads, the executor's era, and how
// far its view is.
type Surroundings struct {
	Leader string
	Era    uint64
	Token  candor.Token
}

// Again is what to do about a failed attempt.
type Again struct {
	// Now says that it is time to try again: assess, then publish what still applies.
	Now bool
	// Reassess says that the surroundings have changed, so that the reason of the
	// failure may be gone whatever its class was.
	Reassess bool
	// At is when the next attempt is due in cluster time, unless the surroundings
	// change first; 0 when only they can bring it.
	At int64
}

// Retry judges a failed attempt at a cluster time. No class is for good: one that
// never repeats by itself is assessed again when leader, era or token has changed,
// and a transient refusal blocks no end for ever. Callers spread attempts of many
// transitions themselves.
func Retry(a Attempt, now int64, s Surroundings) Again {
	again := Again{
		Reassess: s.Leader != a.Seen.Leader || s.Era != a.Seen.Era || s.Token.Index > a.Seen.Token.Index,
	}
	if permanent(a.Retry) {
		again.Now = again.Reassess
		return again
	}
	again.At = a.At + pause(a.Count)
	switch a.Retry {
	case candor.RetryLeader, candor.RetryOtherNode:
		again.Now = s.Leader != "" && s.Leader != a.Seen.Leader
	case candor.RetryWaitForToken:
		again.Now = s.Token.Covers(a.Required)
	default:
		// The surroundings of the others change with every write; their pause holds.
		again.Now = s.Era != a.Seen.Era
	}
	again.Now = again.Now || now >= again.At
	return again
}

// permanent says whether the class never repeats by itself. A class that this build
// does not know is none.
func permanent(c candor.RetryClass) bool { return c == candor.RetryNever }

func pause(failed int) int64 {
	d := firstPause
	for i := 1; i < failed && d < longestPause; i++ {
		d *= 2
	}
	return min(d, longestPause)
}
