package limit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/candor-plane/candor"
)

// Assign gives settings values by their names, as --limit NAME=VALUE,… does:
// read-places=4096, write-rate=200, connections-per-address=5000, topology-wait=5s.
// A limit that is a part of another stays the part that it was where only the
// other is named: half of the places is nobody's share any more once there are
// fewer. The error is USAGE for a name that is none or a value that is no number
// or duration; whether the values fit together Check says.
func Assign(values map[string]string, s *Settings, g *GateSettings) error {
	targets := targetsOf(s, g)
	numbers, before := map[string]*int{}, map[string]int{}
	for name, target := range targets {
		if n, ok := target.(*int); ok {
			numbers[name], before[name] = n, *n
		}
	}
	for name, value := range values {
		target, ok := targets[name]
		if !ok {
			return candor.Errorf(candor.ReasonUsage, "--limit %s: no such limit; there are %s", name, strings.Join(names(targets), ", "))
		}
		if err := parse(target, value); err != nil {
			return candor.Errorf(candor.ReasonUsage, "--limit %s=%s: %w", name, value, err)
		}
	}
	for part, whole := range parts() {
		_, named := values[part]
		if _, changed := values[whole]; !changed || named {
			continue
		}
		p, of := numbers[part], *numbers[whole]
		*p = scaled(before[part], before[whole], of)
		if strings.HasSuffix(part, "-reserved") { // something is left for clients
			*p = max(0, min(*p, of-1))
		}
	}
	return nil
}

// scaled is the part of a new whole that some are of the old one, rounded up.
func scaled(part, whole, next int) int {
	if whole <= 0 || next <= 0 {
		return 0
	}
	return int((int64(part)*int64(next) + int64(whole) - 1) / int64(whole))
}

// parts are the limits that are a part of another, by name.
func parts() map[string]string {
	out := map[string]string{"watches-per-identity": "watches", "connections-per-address": "connections"}
	for _, name := range classNames {
		prefix := strings.ToLower(string(name)) + "-"
		out[prefix+"reserved"], out[prefix+"share"] = prefix+"places", prefix+"places"
		out[prefix+"queue-per-identity"] = prefix + "queue"
	}
	return out
}

// Names are those that Assign knows, in order.
func Names() []string { return names(targetsOf(&Settings{}, &GateSettings{})) }

func names(targets map[string]any) []string {
	out := make([]string, 0, len(targets))
	for name := range targets {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// targetsOf are where the settings are, by name.
func targetsOf(s *Settings, g *GateSettings) map[string]any {
	out := map[string]any{
		"watches": &s.Watches, "watches-per-identity": &s.WatchesPerIdentity, "identities": &s.Identities,
		"connections": &g.Connections, "connections-per-address": &g.PerAddress, "addresses": &g.Addresses,
		"accept-rate": &g.Rate, "accept-burst": &g.Burst,
	}
	for i, name := range classNames {
		c, prefix := s.class(i), strings.ToLower(string(name))+"-"
		for setting, at := range map[string]any{
			"places": &c.Places, "reserved": &c.Reserved, "share": &c.Share, "queue": &c.Queue, "queue-per-identity": &c.QueuePerIdentity,
			"wait": &c.Wait, "rate": &c.Rate, "burst": &c.Burst, "rate-wait": &c.RateWait,
		} {
			out[prefix+setting] = at
		}
	}
	return out
}

func parse(into any, value string) (err error) {
	switch at := into.(type) {
	case *int:
		*at, err = strconv.Atoi(value)
	case *float64:
		*at, err = strconv.ParseFloat(value, 64)
	case *time.Duration:
		*at, err = time.ParseDuration(value)
	default:
		panic("limit: a setting of another type")
	}
	if err != nil {
		return fmt.Errorf("want %s", wanted(into))
	}
	return nil
}

func wanted(into any) string {
	switch into.(type) {
	case *time.Duration:
		return "a duration, such as 10s"
	case *float64:
		return "a number"
	default:
		return "a whole number"
	}
}
