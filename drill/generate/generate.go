package generate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// settle is the time that a cluster gets between two parts of a scenario, and at its end.
const settle = 3 * time.Second

// For is a scenario that makes a declared step likely.
func For(step lifecycle.Step) (*scenario.Scenario, error) {
	r := recipeOf(step)
	if r.how != "" {
		return nil, candor.Errorf(candor.ReasonNotFound, "no fault makes %s likely: %s", step, r.how)
	}
	s := &scenario.Scenario{
		Name:    nameOf(step),
		Summary: fmt.Sprintf("Makes %s likely: %s", step, r.says),
		Cluster: scenario.Cluster{Servers: 3, Nodes: r.nodes, Flags: r.flags},
		Expect:  scenario.Expect{Acknowledged: 100, Ends: r.ends},
	}
	for _, name := range append([]string{"registers", "readers"}, r.workloads...) {
		s.Load.Workloads = append(s.Load.Workloads, scenario.Workload{Name: name})
	}
	at := scenario.Duration(time.Second)
	for _, part := range r.parts {
		end := at
		for _, f := range part {
			f.At += at
			if f.Times == 0 {
				f.Times = 1
			}
			end = max(end, f.End())
			s.Faults = append(s.Faults, f)
		}
		at = end + scenario.Duration(settle)
	}
	s.Load.For = max(at+scenario.Duration(settle), scenario.Duration(r.lasts))
	if err := s.Validate(); err != nil {
		return nil, candor.Wrap("scenario for "+step.String(), err)
	}
	return s, nil
}

// nameOf is a scenario's name, a DNS label or several.
func nameOf(step lifecycle.Step) string {
	clean := func(r rune) rune {
		if r == '_' || r == ' ' {
			return '-'
		}
		return r
	}
	text := fmt.Sprintf("%s-%s-%s-%s", step.Lifecycle, step.From, step.To, step.Event)
	return strings.Map(clean, strings.ToLower(text))
}

// recipe is what makes a step likely. parts follow one another, the cluster at peace
// between them; the times of faults count from their part's beginning.
type recipe struct {
	// says is what it does, in a sentence; how says who brings the step about where no
	// fault does.
	says, how string
	nodes     int
	flags     map[string]string
	workloads []string
	ends      []string
	parts     [][]scenario.Fault
	lasts     time.Duration
}

// then is the recipe after another one.
func (r recipe) then(next recipe) recipe {
	switch {
	case r.how != "":
		return r
	case next.how != "":
		return next
	case len(r.parts) == 0 && r.lasts == 0:
		return next // there is nothing to do before it
	}
	r.says = strings.TrimSuffix(r.says, ".") + "; " + next.says
	r.parts = slices.Concat(r.parts, next.parts)
	r.ends = slices.Concat(r.ends, next.ends)
	r.nodes, r.lasts = max(r.nodes, next.nodes), max(r.lasts, next.lasts)
	for _, name := range next.workloads {
		if !slices.Contains(r.workloads, name) {
			r.workloads = append(slices.Clip(r.workloads), name)
		}
	}
	if next.flags != nil {
		flags := maps.Clone(next.flags)
		maps.Copy(flags, r.flags)
		r.flags = flags
	}
	return r
}

// under is the recipe with more traffic.
func (r recipe) under(workloads ...string) recipe {
	r.workloads = append(slices.Clip(r.workloads), workloads...)
	return r
}

func does(says string, faults ...scenario.Fault) recipe {
	r := recipe{says: says}
	if len(faults) > 0 {
		r.parts = [][]scenario.Fault{faults}
	}
	return r
}

func operator(how string) recipe { return recipe{how: how} }

// sec is a time in seconds.
func sec(n float64) scenario.Duration { return scenario.Duration(n * float64(time.Second)) }
