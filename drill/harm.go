package drill

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
)

const (
	// patience is how long the cluster may take for what it does by itself.
	patience = 30 * time.Second
	// resolving is how long a target may be unknown.
	resolving = 10 * time.Second
)

// takesAway are the kinds after which a server does not answer, and what it is then.
var takesAway = map[string]report.State{
	string(scenario.Kill): report.Down, string(scenario.Stop): report.Down, string(scenario.Restart): report.Down,
	string(scenario.Pause): report.Paused, string(scenario.Damage): report.Down, string(scenario.Wipe): report.Down,
	string(scenario.Upgrade): report.Down, string(scenario.HangDisk): report.Down, string(scenario.FailDisk): report.Down,
	string(scenario.Remove): report.Down, string(scenario.Replace): report.Down,
}

// harm makes the faults of a run at their times, and takes them away. It belongs to
// one run, which calls befall once.
type harm struct {
	stage    Stage
	axis     axis
	began    time.Duration
	scene    func() scene
	progress func(Event)

	mu     sync.Mutex
	choice *rand.Rand
	bands  []report.Band
}

// befall makes every fault and returns when all are gone. When ctx ends, faults that
// last are taken away at once and others are not begun.
func (h *harm) befall(ctx context.Context, s *scenario.Scenario) {
	var wait sync.WaitGroup
	for _, o := range timetable(s) {
		wait.Go(func() {
			if passes(ctx, h.began+o.at-h.axis.now()) {
				h.once(ctx, o)
			}
		})
	}
	wait.Wait()
}

// once makes one fault and takes it away.
func (h *harm) once(ctx context.Context, o occurrence) {
	band := report.Band{Kind: string(o.fault.Kind), Of: closer(o.fault), From: h.axis.now()}
	refused := func(err error) {
		band.Note = err.Error()
		h.progress(Event{At: h.axis.now(), Kind: EventRefused, Fault: o.fault.Kind, Targets: band.Targets, What: band.Note})
	}
	defer func() {
		band.To = h.axis.now()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.bands = append(h.bands, band)
	}()
	targets, to, err := h.targets(ctx, o.fault)
	if err != nil {
		refused(err)
		return
	}
	fault := *o.fault
	fault.To = to
	band.From, band.Targets = h.axis.now(), targets
	h.progress(Event{At: band.From, Kind: EventFault, Fault: fault.Kind, Targets: targets, What: described(&fault, targets)})
	injection, err := h.stage.Inject(ctx, &fault, targets)
	if err != nil {
		refused(err)
		return
	}
	if of, is := injection.(Befalling); is {
		band.Befell = of.Befell()
	}
	passes(ctx, o.lasts())
	band.Bite = biteOf(injection)
	ended := h.axis.now()
	healing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
	defer cancel()
	if err := injection.Heal(healing); err != nil {
		band.Note = "not healed: " + err.Error()
	}
	// What is counted at the end counts too.
	if last := biteOf(injection); last.Seen > band.Bite.Seen {
		band.Bite = last
	}
	what := "healed: "
	if fault.For == 0 {
		what = "done: "
	}
	fault.For = 0
	h.progress(Event{At: ended, Kind: EventHealed, Fault: fault.Kind, Targets: targets, What: what + described(&fault, targets)})
}

func biteOf(injection Injection) report.Bite {
	b := injection.Bite()
	return report.Bite{Seen: b.Seen, What: b.What}
}

// targets resolves whom a fault befalls, and its other end, once that is known.
func (h *harm) targets(ctx context.Context, f *scenario.Fault) (targets []string, to string, err error) {
	for began := time.Now(); ; {
		var others []string
		scene := h.scene()
		h.mu.Lock()
		targets, err = scene.resolve(f.Target, h.choice)
		if err == nil && f.To != "" {
			others, err = scene.resolve(f.To, h.choice)
		}
		h.mu.Unlock()
		if err == nil {
			return targets, firstBut(others, targets), nil
		}
		if candor.ReasonOf(err) != candor.ReasonUnavailable || time.Since(began) > resolving || !passes(ctx, look) {
			return nil, "", err
		}
	}
}

// firstBut is the first of the names that is none of those; empty if there is none.
func firstBut(names, but []string) string {
	for _, name := range names {
		if !slices.Contains(but, name) {
			return name
		}
	}
	return ""
}

// done are the bands so far, in their order.
func (h *harm) done() []report.Band {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := slices.Clone(h.bands)
	slices.SortStableFunc(out, func(a, b report.Band) int { return int(a.From - b.From) })
	return out
}

// described is a fault in a few words.
func described(f *scenario.Fault, targets []string) string {
	words := []string{string(f.Kind)}
	if of := closer(f); of != "" {
		words = append(words, of)
	}
	if len(targets) > 0 {
		words = append(words, strings.Join(targets, ","))
	}
	if f.For > 0 {
		words = append(words, "for "+f.For.String())
	}
	return strings.Join(words, " ")
}

// closer says of which sort a fault is within its kind; empty where there is one alone.
func closer(f *scenario.Fault) string {
	return cmp.Or(string(f.Shape), f.What, f.Duty)
}
