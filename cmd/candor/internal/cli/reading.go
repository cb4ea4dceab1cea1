package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/candor-plane/candor"
)

// Reading is the contract of a command's reads: --read and --at.
type Reading struct {
	Freshness candor.Freshness
	// MaxLag and MaxAge bound a bounded read; nil leaves the server's.
	MaxLag *uint64
	MaxAge *time.Duration
	// Token is what the view must have reached; zero for nothing beyond the
	// session's own.
	Token candor.Token
	// Follower lets a follower answer a strong read by asking the leader.
	Follower bool
	// AcceptStale has a read that cannot be served so be served best-effort.
	AcceptStale bool
	// AtRevision reads an older state; 0 the newest served.
	AtRevision uint64
}

func (o *Flags) reading() (Reading, error) {
	r, err := ParseReading(o.Read)
	if err != nil {
		return Reading{}, err
	}
	r.AcceptStale = o.AcceptStale
	if o.At == "" {
		return r, nil
	}
	if revision, err := strconv.ParseUint(o.At, 10, 64); err == nil && revision > 0 {
		r.AtRevision = revision
		return r, nil
	}
	token, err := candor.ParseToken(o.At)
	if err != nil || token.Revision == 0 {
		return Reading{}, usage("--at %q: want a token TERM:INDEX/REVISION such as 7:1042/977, or a revision such as 977", o.At)
	}
	if !r.Token.IsZero() && r.Token != token {
		return Reading{}, usage("--at %s and token=%s in --read name two states", token, r.Token)
	}
	r.Token, r.AtRevision = token, token.Revision
	return r, nil
}

// ParseReading reads the value of --read.
func ParseReading(text string) (Reading, error) {
	class, options, more := strings.Cut(text, ":")
	var r Reading
	allowed := []string{"token"}
	switch class {
	case "strong", "":
		r.Freshness = candor.FreshnessStrong
		allowed = append(allowed, "follower")
	case "bounded":
		r.Freshness = candor.FreshnessBounded
		allowed = append(allowed, "lag", "age")
	case "best-effort":
		r.Freshness = candor.FreshnessBestEffort
	default:
		return Reading{}, usage("--read %q: want strong, bounded[:lag=N,age=D,token=T] or best-effort", text)
	}
	if !more {
		return r, nil
	}
	for option := range strings.SplitSeq(options, ",") {
		name, value, _ := strings.Cut(option, "=")
		if !slices.Contains(allowed, name) {
			return Reading{}, usage("--read %q: %s takes %s, not %q", text, class, strings.Join(allowed, ", "), name)
		}
		if err := r.set(name, value); err != nil {
			return Reading{}, usage("--read %q: %v", text, err)
		}
	}
	return r, nil
}

func (r *Reading) set(name, value string) error {
	switch name {
	case "lag":
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return fmt.Errorf("lag=%q: want a number of log entries", value)
		}
		r.MaxLag = &n
	case "age":
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return fmt.Errorf("age=%q: want a duration such as 500ms", value)
		}
		r.MaxAge = &d
	case "token":
		token, err := candor.ParseToken(value)
		if err != nil {
			return fmt.Errorf("token=%q: want TERM:INDEX/REVISION such as 7:1042/977", value)
		}
		r.Token = token
	case "follower":
		if value != "" {
			return errors.New("follower takes no value")
		}
		r.Follower = true
	}
	return nil
}
