package servertest_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor/drill/generate"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/coverage"
	"github.com/candor-plane/candor/verify/history"
)

const (
	// clusterLives is how long each cluster of a simulated day has traffic and faults, where
	// faults come as densely as they can, and longLife where they come more seldom.
	clusterLives = 20 * time.Minute
	longLife     = 2 * time.Hour
	// shortDay is what every run of the tests simulates.
	shortDay = 2 * time.Minute
	// dayLooks is how often servers are asked what they are: the default would take most
	// of the time. Of a life of hours it is longLooks.
	dayLooks  = time.Second
	longLooks = 2 * time.Second
)

// TestASimulatedDay: random faults on clusters in memory break no promise.
// CANDOR_SIM_HOURS=24 simulates a day of cluster time, over clusters of twenty minutes,
// whose seeds begin at CANDOR_SEED. CANDOR_SIM_PACE=10m has faults come every ten minutes
// in the mean instead of as densely as they can, on clusters of two hours: what takes hours
// to show is found so, and a day takes minutes (scripts/day.sh). CANDOR_COVERAGE=FILE writes
// the steps that they took, as source B. A run that breaks a promise is made smaller for CANDOR_MINIMISE (2m), and
// the smallest scenario that still breaks one is left in a file, with the command that
// drills it. INCONCLUSIVE is counted and no failure: a random fault may find nobody to befall.
func TestASimulatedDay(t *testing.T) {
	long(t)
	amount, pace, first := dayOf(t), durationOf(t, "CANDOR_SIM_PACE", generate.SwarmPace), seedOf(t)
	each := min(amount, clusterLives)
	if pace > generate.SwarmPace {
		each = min(amount, longLife)
	}
	d := &day{verdicts: map[history.Verdict]int{}, bit: map[string]int{}, coverage: coverage.New()}
	began := time.Now()
	t.Run("clusters", func(t *testing.T) {
		for i := range uint64(max(1, (amount+each-1)/each)) {
			seed := first + i
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				s, err := generate.Swarm(seed, each, pace)
				if err != nil {
					t.Fatal(err)
				}
				d.cluster(t, s, seed)
			})
		}
	})
	d.tell(t, time.Since(began))
	if file := os.Getenv("CANDOR_COVERAGE"); file != "" {
		d.save(t, file)
	}
}

func durationOf(t *testing.T, name string, otherwise time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

func dayOf(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("CANDOR_SIM_HOURS")
	if text == "" {
		return shortDay
	}
	hours, err := strconv.ParseFloat(text, 64)
	if err != nil || hours*float64(time.Hour) < float64(shortDay) {
		t.Fatalf("CANDOR_SIM_HOURS=%s: want a number of hours, of %s at least", text, shortDay)
	}
	return time.Duration(hours * float64(time.Hour))
}

// day is what was simulated so far.
type day struct {
	coverage *coverage.Coverage

	mu         sync.Mutex
	took       time.Duration
	operations int
	verdicts   map[history.Verdict]int
	// bit is how many faults did, by kind.
	bit  map[string]int
	open []string
}

// cluster drills one, in a bubble of its own.
func (d *day) cluster(t *testing.T, s *scenario.Scenario, seed uint64) {
	t.Helper()
	data, began := t.TempDir(), time.Now()
	took, outcome := drilledIn(t, data, s, seed, looksOf(s))
	if outcome == nil {
		return
	}
	elapsed := time.Since(began)
	t.Logf("%s: %d servers, %d faults, %d operations: %s, %.0f times as fast as the clock",
		s.Name, s.Cluster.Servers, len(outcome.Report.Faults), outcome.Report.Census.Operations, outcome.Report.Verdict, took.Seconds()/elapsed.Seconds())
	d.note(took, &outcome.Report)
	if outcome.Report.Verdict == history.Violated {
		t.Errorf("%s", textOf(t, &outcome.Report))
		minimise(t, s, seed)
	}
	if os.Getenv("CANDOR_COVERAGE") != "" {
		cover(t, d.coverage, data, s.Name, outcome)
	}
}

// looksOf is how often the servers of a scenario are asked what they are; 0 for the default.
func looksOf(s *scenario.Scenario) time.Duration {
	switch lasts := time.Duration(s.Load.For); {
	case lasts > clusterLives:
		return longLooks
	case lasts >= shortDay:
		return dayLooks
	default:
		return 0
	}
}

func (d *day) note(took time.Duration, r *report.Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.took += took
	d.operations += r.Census.Operations
	d.verdicts[r.Verdict]++
	for i := range r.Faults {
		if b := &r.Faults[i]; b.Note == "" && b.Bite.Seen > 0 {
			d.bit[b.Kind]++
		}
	}
	if r.Verdict == history.Inconclusive {
		d.open = append(d.open, fmt.Sprintf("%s: %s", r.Scenario.Name, strings.Join(r.Why, "; ")))
	}
}

func (d *day) tell(t *testing.T, elapsed time.Duration) {
	t.Helper()
	var bit []string
	for _, kind := range slices.Sorted(maps.Keys(d.bit)) {
		bit = append(bit, fmt.Sprintf("%s %d", kind, d.bit[kind]))
	}
	for _, open := range d.open {
		t.Logf("INCONCLUSIVE %s", open)
	}
	t.Logf("%s of simulated cluster time in %s: %.0f times as fast as the clock; %d operations checked; %d PASS, %d INCONCLUSIVE, %d VIOLATION; faults that bit: %s",
		d.took.Round(time.Second), elapsed.Round(time.Second), d.took.Seconds()/elapsed.Seconds(), d.operations,
		d.verdicts[history.Pass], d.verdicts[history.Inconclusive], d.verdicts[history.Violated], strings.Join(bit, ", "))
}

func (d *day) save(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	noError(t, err)
	noError(t, d.coverage.Write(file))
	noError(t, file.Close())
}

func textOf(t *testing.T, r *report.Report) string {
	t.Helper()
	var text strings.Builder
	noError(t, report.WriteText(&text, r))
	return text.String()
}

// minimise leaves faults out as long as a promise is still broken, for a bounded time.
func minimise(t *testing.T, s *scenario.Scenario, seed uint64) {
	t.Helper()
	ends := time.Now().Add(durationOf(t, "CANDOR_MINIMISE", 2*time.Minute))
	small := *s
	small.Name += "-small"
	smaller := fewer(small.Faults, func(faults []scenario.Fault) bool {
		if time.Now().After(ends) {
			return false
		}
		tried := small
		tried.Faults = faults
		broken := false
		t.Run(fmt.Sprintf("%d faults", len(faults)), func(t *testing.T) {
			_, outcome := drilledIn(t, t.TempDir(), &tried, seed, looksOf(&tried))
			broken = outcome != nil && outcome.Report.Verdict == history.Violated
		})
		return broken
	})
	small.Faults = smaller
	text, err := generate.Text(&small)
	noError(t, err)
	path := filepath.Join(os.TempDir(), "candor-"+small.Name+".yaml")
	noError(t, os.WriteFile(path, text, 0o600))
	t.Logf("seed %d, of its %d faults %d are left:\n%s\nagain: CANDOR_CHAOS=%s CANDOR_SEED=%d go test -count=1 -v -run TestDrillsInVirtualTime ./server/servertest",
		seed, len(s.Faults), len(smaller), text, path, seed)
}

// fewer leaves out halves, then quarters, then single ones, as long as what is left
// still fails.
func fewer[T any](all []T, fails func([]T) bool) []T {
	for size := cmp.Or(len(all)/2, 1); size > 0; size /= 2 {
		for at := 0; at < len(all); {
			left := slices.Delete(slices.Clone(all), at, min(at+size, len(all)))
			if len(left) < len(all) && fails(left) {
				all = left
				continue
			}
			at += size
		}
	}
	return all
}

// TestWhatFailsIsMadeSmaller to what it takes to fail.
func TestWhatFailsIsMadeSmaller(t *testing.T) {
	var all []int
	for i := range 37 {
		all = append(all, i)
	}
	tries := 0
	got := fewer(all, func(left []int) bool {
		tries++
		return slices.Contains(left, 3) && slices.Contains(left, 30)
	})
	if !slices.Equal(got, []int{3, 30}) || tries > 60 {
		t.Errorf("%v after %d tries", got, tries)
	}
	if got := fewer([]int(nil), func([]int) bool { return true }); len(got) != 0 {
		t.Errorf("%v of nothing", got)
	}
}
