//go:build zoo

package zoo_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/candor-plane/candor/internal/zoo"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/sim"
)

// catch is how a mistake was found.
type catch struct {
	layer, check, property, detail string
	// soon is in seeds or virtual time.
	soon string
	took time.Duration
}

// hunt says how a mistake is to be found.
type hunt struct {
	name zoo.Name
	// by are the properties or invariants any of which may find it, parted by |.
	by string
	// models are those of package tenuremodel, seeds the simulator's, in drills the
	// scenarios, each of so many seeds: tried in this order, until one finds it.
	models []string
	seeds  uint64
	drills []string
	tries  uint64
	// fast hunts run with every test.
	fast bool
}

// TestEveryMistakeIsCaught, by a check that is there for it, and each is hunted.
// CANDOR_ZOO_ALL=1 hunts all of them.
func TestEveryMistakeIsCaught(t *testing.T) {
	hunted := map[zoo.Name]bool{}
	for i := range hunts {
		hunted[hunts[i].name] = true
	}
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "mistake\twhere\tlayer\tcheck\thow soon\treal time")
	for _, bug := range zoo.Bugs() {
		if !hunted[bug.Name] {
			t.Errorf("nobody hunts %s", bug.Name)
		}
	}
	for i := range hunts {
		h := &hunts[i]
		if only := os.Getenv("CANDOR_ZOO_ONLY"); only != "" && !strings.Contains(","+only+",", ","+string(h.name)+",") {
			continue
		} else if only == "" && !h.fast && os.Getenv("CANDOR_ZOO_ALL") == "" {
			continue
		}
		t.Run(string(h.name), func(t *testing.T) {
			found, ok := h.run(t)
			if !ok {
				t.Errorf("%s was not caught", h.name)
				fmt.Fprintf(table, "%s\t%s\t-\tNOT CAUGHT\t\t%.1fs\n", h.name, whereOf(h.name), found.took.Seconds())
				return
			}
			t.Logf("%s, %s: %s", found.property, found.soon, found.detail)
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%.1fs\n", h.name, whereOf(h.name), found.layer, found.property, found.soon, found.took.Seconds())
		})
	}
	if err := table.Flush(); err != nil {
		t.Error(err)
	}
	fmt.Print(text.String())
}

func whereOf(name zoo.Name) string {
	for _, b := range zoo.Bugs() {
		if b.Name == name {
			return b.Where
		}
	}
	return "nowhere"
}

// run releases the mistake and looks for it, the cheapest way first.
func (h *hunt) run(t *testing.T) (found catch, ok bool) {
	t.Helper()
	defer zoo.Release(h.name)()
	began := time.Now()
	defer func() { found.took = time.Since(began) }()
	for _, name := range h.models {
		if x, caught := explored(t, name); caught && h.meant(t, x) {
			return x, true
		}
	}
	for seed := range h.seeds {
		r := sim.Run(seed, 0, sim.Options{})
		if r.Failure == nil {
			continue
		}
		x := catch{layer: "C", check: "simulation", property: r.Failure.Check, detail: r.Failure.Detail, soon: fmt.Sprintf("in schedule %d, after %d turns", seed+1, r.Failure.Turns)}
		if h.meant(t, x) {
			return x, true
		}
		return x, false
	}
	for _, name := range h.drills {
		for seed := range max(1, h.tries) {
			report := drilled(t, scene(t, name), seed+1)
			for _, x := range broken(report) {
				if h.meant(t, x) {
					return x, true
				}
			}
			if report != nil {
				t.Logf("drill %s, seed %d: %s %v", name, seed+1, report.Verdict, report.Why)
			}
		}
	}
	return found, false
}

// meant says whether it was found by what is there for it.
func (h *hunt) meant(t *testing.T, x catch) bool {
	t.Helper()
	if strings.Contains("|"+h.by+"|", "|"+x.property+"|") {
		return true
	}
	t.Logf("found by %q too: %s", x.property, x.detail)
	return false
}

// TestNothingIsWrongUntilAMistakeIsReleased in this build: what the hunts run passes.
func TestNothingIsWrongUntilAMistakeIsReleased(t *testing.T) {
	for seed := range uint64(100) {
		if r := sim.Run(seed, 0, sim.Options{}); r.Failure != nil {
			t.Errorf("seed %d: %s", seed, r.Failure)
		}
	}
	if os.Getenv("CANDOR_ZOO_ALL") == "" {
		return
	}
	for name := range scenes {
		t.Run(name, func(t *testing.T) {
			report := drilled(t, scene(t, name), 1)
			if report == nil || report.Verdict == history.Violated {
				t.Errorf("%+v", broken(report))
			}
		})
	}
}
