package drill

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// scene is the cluster as targets are told from it.
type scene struct {
	servers []string
	leader  string
	// holders are the servers that hold duties, by duty.
	holders map[string]string
}

// others are the servers but one.
func (s scene) others(but string) []string {
	return slices.DeleteFunc(slices.Clone(s.servers), func(name string) bool { return name == but })
}

// resolve names the servers that a target means now. The error, of reason
// UNAVAILABLE, says what is not known yet. Where there is a choice, the seed makes it.
func (s scene) resolve(target string, choice *rand.Rand) ([]string, error) {
	if target == "" {
		return nil, nil
	}
	if duty, held := strings.CutPrefix(target, "holder/"); held {
		if holder := s.holders[duty]; holder != "" {
			return []string{holder}, nil
		}
		return nil, candor.Errorf(candor.ReasonUnavailable, "nobody is known to hold %s", duty)
	}
	if target == "all" {
		return slices.Clone(s.servers), nil
	}
	if target == "any" {
		return some(s.servers, 1, choice), nil
	}
	if slices.Contains(s.servers, target) {
		return []string{target}, nil
	}
	if s.leader == "" {
		return nil, candor.Errorf(candor.ReasonUnavailable, "no leader is known, and without one nobody is %s", target)
	}
	followers := s.others(s.leader)
	minority := (len(s.servers) - 1) / 2
	switch target {
	case "leader":
		return []string{s.leader}, nil
	case "follower":
		return some(followers, 1, choice), nil
	case "followers":
		return followers, nil
	case "minority":
		return some(followers, minority, choice), nil
	case "majority":
		return append([]string{s.leader}, some(followers, len(s.servers)-minority-1, choice)...), nil
	default:
		return nil, candor.Errorf(candor.ReasonNotFound, "no server is named %s: there are %s", target, strings.Join(s.servers, ", "))
	}
}

// some are n of the names, in their order.
func some(names []string, n int, choice *rand.Rand) []string {
	taken := slices.Sorted(slices.Values(choice.Perm(len(names))[:min(n, len(names))]))
	out := make([]string, 0, len(taken))
	for _, i := range taken {
		out = append(out, names[i])
	}
	return out
}
