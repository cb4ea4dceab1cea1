package scenario

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// The limits of a scenario: what a small machine bears, and a file that was meant.
const (
	maxServers = 7
	maxNodes   = 5000
	maxWorkers = 20
	maxFaults  = 100
	maxTimes   = 1000
)

// Classes are those of Expect.Gap.
var Classes = []string{"write", "strong", "bounded", "best-effort"}

// Validate says what is wrong with a scenario whose defaults are filled in, or nil.
func (s *Scenario) Validate() error {
	if err := candor.CheckName("name", s.Name); err != nil {
		return err
	}
	switch {
	case s.Summary == "":
		return errors.New("summary: want a sentence on what is done and what must hold")
	case s.Cluster.Servers < 1 || s.Cluster.Servers > maxServers:
		return fmt.Errorf("cluster.servers %d: want 1 to %d", s.Cluster.Servers, maxServers)
	case s.Cluster.Nodes < 0 || s.Cluster.Nodes > maxNodes:
		return fmt.Errorf("cluster.nodes %d: want at most %d", s.Cluster.Nodes, maxNodes)
	case s.Cluster.Workers < 0 || s.Cluster.Workers > maxWorkers:
		return fmt.Errorf("cluster.workers %d: want at most %d", s.Cluster.Workers, maxWorkers)
	case s.Load.For <= 0:
		return errors.New("load.for: want how long the load lasts, such as 10s")
	case len(s.Load.Workloads) == 0:
		return errors.New("load.workloads: want at least one")
	case len(s.Faults) > maxFaults:
		return fmt.Errorf("%d faults: want at most %d", len(s.Faults), maxFaults)
	}
	if err := s.Cluster.governed(); err != nil {
		return err
	}
	if err := s.Expect.validate(); err != nil {
		return err
	}
	for i := range s.Faults {
		f := &s.Faults[i]
		if what := f.wrong(s); what != "" {
			return &faultError{i, f.Kind, what}
		}
	}
	return nil
}

func (e *Expect) validate() error {
	for class, gap := range e.Gap {
		if !slices.Contains(Classes, class) {
			return fmt.Errorf("expect.gap: %q is no class: want %s", class, strings.Join(Classes, ", "))
		}
		if gap <= 0 {
			return fmt.Errorf("expect.gap.%s: want a time above 0", class)
		}
	}
	if !slices.Contains([]string{"", LeaderChanges, LeaderStays}, e.Leader) {
		return fmt.Errorf("expect.leader %q: want %s, %s, or nothing", e.Leader, LeaderChanges, LeaderStays)
	}
	if e.Acknowledged < 1 {
		return fmt.Errorf("expect.acknowledged %d: want at least 1", e.Acknowledged)
	}
	return nil
}

// wrong says what is wrong with a fault; empty for nothing.
func (f *Fault) wrong(s *Scenario) string {
	want, known := needs[f.Kind]
	if !known {
		return "no such kind: want one of " + strings.Join(kindNames(), ", ")
	}
	for _, field := range fields {
		given := field.given(f)
		switch {
		case given && !slices.Contains(want.needs, field.name) && !slices.Contains(want.may, field.name):
			return field.name + " means nothing to it"
		case !given && slices.Contains(want.needs, field.name):
			return "want " + field.name
		}
	}
	if want.one != nil && !slices.ContainsFunc(want.one, func(name string) bool { return given(f, name) }) {
		return "want one of " + strings.Join(want.one, ", ")
	}
	return f.outside(s)
}

// outside says which value is none that makes sense.
func (f *Fault) outside(s *Scenario) string {
	if f.At < 0 || f.For < 0 || f.Every < 0 || f.Delay < 0 || f.Jitter < 0 {
		return "a time is negative"
	}
	if f.Times < 1 || f.Times > maxTimes {
		return fmt.Sprintf("times %d: want 1 to %d", f.Times, maxTimes)
	}
	if f.Times > 1 && f.Every <= f.For {
		return "every: want more than for, so that one time ends before the next"
	}
	if last := f.End(); last > s.Load.For {
		return fmt.Sprintf("it would last until %s, and the load ends after %s", last, s.Load.For)
	}
	for _, share := range []int{f.Loss, f.Reorder, f.Duplicate} {
		if share < 0 || share > 100 {
			return fmt.Sprintf("%d %%: want 0 to 100", share)
		}
	}
	if f.Count < 0 {
		return fmt.Sprintf("count %d: want at least 1", f.Count)
	}
	if f.Shape != "" && !slices.Contains(Shapes, f.Shape) {
		return fmt.Sprintf("shape %q: want one of %v", f.Shape, Shapes)
	}
	if f.What != "" && !slices.Contains(Damages, f.What) {
		return fmt.Sprintf("what %q: want one of %v", f.What, Damages)
	}
	for _, target := range []string{f.Target, f.To} {
		if target != "" && !validTarget(target, s.Cluster.Servers) {
			return fmt.Sprintf("target %q: want leader, follower, followers, any, all, minority, majority, holder/DUTY or the name of a server", target)
		}
	}
	return ""
}

// End is when the last of its times is over.
func (f *Fault) End() Duration { return f.At + Duration(f.Times-1)*f.Every + f.For }

// validTarget says whether a target can be meant. Servers that a fault adds have names too.
func validTarget(target string, servers int) bool {
	if slices.Contains([]string{"leader", "follower", "followers", "any", "all", "minority", "majority"}, target) {
		return true
	}
	if duty, holder := strings.CutPrefix(target, "holder/"); holder {
		return candor.CheckName("duty", duty) == nil
	}
	var n int
	_, err := fmt.Sscanf(target, "n%d", &n)
	return err == nil && fmt.Sprintf("n%d", n) == target && n >= 1 && n <= servers+maxFaults
}

func kindNames() []string {
	var names []string
	for _, kind := range slices.Sorted(maps.Keys(needs)) {
		names = append(names, string(kind))
	}
	return names
}
