package explore_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/verify/explore"
)

// door is a queue before a door: whoever is first goes in when the door is open, and
// the door opens and shuts.
type door struct{ opens, shuts bool }

type waiting struct {
	queue int
	open  bool
}

func (door) Initial() waiting { return waiting{} }

func (door) Key(key []byte, s waiting) []byte {
	if s.open {
		return append(key, byte(s.queue), 1)
	}
	return append(key, byte(s.queue), 0)
}

func (d door) Steps(s waiting, visit func(pour, waiting, error)) {
	if s.queue == 0 {
		visit("come", waiting{2, s.open}, nil)
		return
	}
	if d.opens && !s.open {
		visit("open", waiting{s.queue, true}, nil)
	}
	if d.shuts && s.open {
		visit("shut", waiting{s.queue, false}, nil)
	}
	if s.open {
		visit("enter", waiting{s.queue - 1, true}, nil)
	}
	visit("wait", s, nil)
}

func TestAFairCycleThatKeepsAGoalAwayIsFound(t *testing.T) {
	is := func(p pour) func(pour) bool { return func(q pour) bool { return p == q } }
	weak := []explore.Fairness[pour]{{Name: "open", Is: is("open")}, {Name: "enter", Is: is("enter")}}
	strong := slices.Clone(weak)
	strong[1].Strong = true
	for _, row := range []struct {
		name   string
		model  door
		fair   []explore.Fairness[pour]
		fault  func(pour) bool
		prefix []string
		cycle  []string
	}{
		{"the door opens and stays open", door{opens: true}, weak, nil, nil, nil},
		{"nobody need enter", door{opens: true}, weak[:1], nil, []string{"come", "open"}, []string{"nothing that must happen"}},
		{"nobody opens", door{}, weak, nil, []string{"come"}, []string{"nothing that must happen"}},
		{"it shuts again", door{opens: true, shuts: true}, weak, nil, []string{"come"}, []string{"open", "shut"}},
		{"it shuts again, and whoever may enter again and again does", door{opens: true, shuts: true}, strong, nil, nil, nil},
		{"it shuts again, and not for ever", door{opens: true, shuts: true}, weak, is("shut"), nil, nil},
	} {
		t.Run(strings.ReplaceAll(row.name, " ", "_"), func(t *testing.T) {
			goal := explore.Goal[waiting, pour]{
				Name:  "the queue empties",
				Owed:  func(waiting) bool { return true },
				Done:  func(s waiting) bool { return s.queue == 0 },
				Fault: row.fault, Fair: row.fair,
			}
			report, err := explore.Run(row.model, explore.Options[waiting, pour]{MaxStates: 100, Goals: []explore.Goal[waiting, pour]{goal}})
			if err != nil {
				t.Fatal(err)
			}
			var prefix, cycle []string
			if report.Failure != nil {
				prefix, cycle = report.Failure.Steps, report.Failure.Cycle
			}
			if diff := cmp.Diff(row.prefix, prefix) + cmp.Diff(row.cycle, cycle); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALassoIsPrintedAsNumberedSteps(t *testing.T) {
	f := explore.Failure{Broken: "it ends", Steps: []string{"come"}, Cycle: []string{"open", "shut"}}
	if got, want := f.String(), "broken: it ends\n  1. come\nand then for ever:\n  2. open\n  3. shut"; got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestMoreFairnessThanFitsIsAnError(t *testing.T) {
	goals := []explore.Goal[waiting, pour]{{Name: "much", Fair: make([]explore.Fairness[pour], 32)}}
	if _, err := explore.Run(door{}, explore.Options[waiting, pour]{MaxStates: 100, Goals: goals}); err == nil {
		t.Error("want an error")
	}
}
