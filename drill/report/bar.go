package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// The bars of docs/verification.md that drills measure.
const (
	barCrashMedian = 600 * time.Millisecond
	barCrash       = 1500 * time.Millisecond
	barTransfer    = 100 * time.Millisecond
	// A disk that hangs is given up by the watchdog, 5 s after, unless a flag says
	// otherwise.
	watchdog    = 5 * time.Second
	barHungDisk = watchdog + 1500*time.Millisecond
)

// Bar is a promise about how long writes wait, over many drills.
type Bar struct {
	// What writes wait for, and which percentile.
	What string `json:"what"`
	// Samples is how many faults it was measured at, Value what they came to.
	Samples int           `json:"samples"`
	Value   time.Duration `json:"value"`
	Limit   time.Duration `json:"limit"`
}

// Kept says whether it is met; of nothing, it is not.
func (b Bar) Kept() bool { return b.Samples > 0 && b.Value <= b.Limit }

// Bars are what the accounts came to. Faults that were not alone are left out, for it is
// not known which of them writes waited for.
func Bars(accounts []*Report) []Bar {
	var crashes, transfers, hangs []time.Duration
	for _, r := range accounts {
		for i := range r.Faults {
			b := &r.Faults[i]
			if b.Pause == 0 || b.Bite.Seen == 0 || !r.alone(i) {
				continue
			}
			ofLeader := len(b.Targets) == 1 && b.Targets[0] == b.Leader
			switch {
			case b.Kind == "KILL" && ofLeader:
				crashes = append(crashes, b.Pause)
			case b.Kind == "TRANSFER":
				transfers = append(transfers, b.Pause)
			case b.Kind == "HANG_DISK" && ofLeader:
				hangs = append(hangs, b.Pause)
			default: // no bar is about it
			}
		}
	}
	for _, of := range [][]time.Duration{crashes, transfers, hangs} {
		slices.Sort(of)
	}
	return []Bar{
		{"leader killed, p50", len(crashes), at(crashes, 50), barCrashMedian},
		{"leader killed, p99", len(crashes), at(crashes, 99), barCrash},
		{"leadership moved, p99", len(transfers), at(transfers, 99), barTransfer},
		{"leader's disk hung, p99", len(hangs), at(hangs, 99), barHungDisk},
	}
}

// alone says whether no other fault was there while one lasted.
func (r *Report) alone(i int) bool {
	one := &r.Faults[i]
	for j := range r.Faults {
		if b := &r.Faults[j]; j != i && b.From <= max(one.To, one.From)+time.Second && one.From <= max(b.To, b.From)+time.Second {
			return false
		}
	}
	return true
}

// WriteSummary writes many accounts as one table, and the bars.
func WriteSummary(w io.Writer, accounts []*Report) error {
	var out strings.Builder
	runs := table{right: []int{1, 3, 4}}
	runs.add("DRILL", "SEED", "VERDICT", "OPERATIONS", "WRITES WAITED", "WHY")
	verdicts := map[history.Verdict]int{}
	for _, r := range accounts {
		verdicts[r.Verdict]++
		waited := time.Duration(0)
		for i := range r.Faults {
			waited = max(waited, r.Faults[i].Pause)
		}
		operations, why := 0, ""
		if r.Census != nil {
			operations = r.Census.Operations
		}
		if r.Verdict != history.Pass && len(r.Why) > 0 {
			why = clean(r.Why[0])
		}
		runs.add(clean(r.Scenario.Name), fmt.Sprint(r.Seed), r.word(), count(operations), short(waited), why)
	}
	runs.write(&out)
	bars := table{right: []int{1, 2, 3}}
	bars.add("WRITES WAIT", "FAULTS", "MEASURED", "AT MOST", "MET")
	for _, b := range Bars(accounts) {
		met := "yes"
		if !b.Kept() {
			met = "NO"
		}
		if b.Samples == 0 {
			met = "not measured"
		}
		bars.add(b.What, count(b.Samples), short(b.Value), short(b.Limit), met)
	}
	bars.write(&out)
	fmt.Fprintf(&out, "%s: %d PASS, %d VIOLATION, %d INCONCLUSIVE\n", plural(len(accounts), "drill", "drills"),
		verdicts[history.Pass], verdicts[history.Violated], verdicts[history.Inconclusive])
	_, err := io.WriteString(w, out.String())
	return candor.Wrap("write summary", err)
}
