package limit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/limit"
)

// TestEveryLimitCanBeSetByItsName: a refusal names a limit, and --limit sets it.
func TestEveryLimitCanBeSetByItsName(t *testing.T) {
	s, g := limit.Defaults(), limit.GateDefaults()
	err := limit.Assign(map[string]string{
		"read-places": "7", "write-rate": "2.5", "topology-wait": "3s", "connections-per-address": "9", "watches-per-identity": "11", "accept-burst": "13",
	}, &s, &g)
	if err != nil {
		t.Fatal(err)
	}
	if s.Read.Places != 7 || s.Write.Rate != 2.5 || s.Topology.Wait != 3*time.Second || g.PerAddress != 9 || s.WatchesPerIdentity != 11 || g.Burst != 13 {
		t.Errorf("set %+v, %+v", s, g)
	}
	for name, value := range map[string]string{"read-place": "7", "read-places": "many", "read-wait": "7", "write-rate": "fast"} {
		err := limit.Assign(map[string]string{name: value}, &s, &g)
		if candor.ReasonOf(err) != candor.ReasonUsage || !strings.Contains(err.Error(), "--limit "+name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}

// TestAPartStaysTheSamePartOfWhatIsSet: whoever gives a class fewer places does not
// give one party all of them.
func TestAPartStaysTheSamePartOfWhatIsSet(t *testing.T) {
	assign := func(values map[string]string) (limit.Settings, limit.GateSettings) {
		s, g := limit.Defaults(), limit.GateDefaults()
		if err := limit.Assign(values, &s, &g); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{s.Check(), g.Check()} {
			if err != nil {
				t.Errorf("%v: %v", values, err)
			}
		}
		return s, g
	}
	s, g := assign(map[string]string{"read-places": "100", "write-queue": "10", "watches": "50", "connections": "1000"})
	if s.Read.Share != 50 || s.Read.Reserved != 13 || s.Write.QueuePerIdentity != 5 || s.WatchesPerIdentity != 25 || g.PerAddress != 200 {
		t.Errorf("%+v, %+v", s, g)
	}
	if s.Write.Share != limit.Defaults().Write.Share {
		t.Errorf("a class of which nothing was said has %+v", s.Write)
	}
	s, _ = assign(map[string]string{"read-places": "100", "read-share": "90", "read-reserved": "0", "write-places": "1", "write-queue": "0", "topology-places": "2"})
	if s.Read.Share != 90 || s.Read.Reserved != 0 || s.Write.Share != 1 || s.Write.Reserved != 0 || s.Write.QueuePerIdentity != 0 || s.Topology.Reserved != 1 {
		t.Errorf("%+v", s)
	}
}
