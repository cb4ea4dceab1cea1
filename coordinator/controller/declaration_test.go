package controller_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

func nullLogger() hclog.Logger { return hclog.NewNullLogger() }

func declared(d ...controller.Declaration) (*controller.Runtime, error) {
	var all []controller.Controller
	for _, x := range d {
		all = append(all, controller.Controller{Declaration: x, Make: func(controller.Writer) controller.Reconciler { return reconciles(nil) }})
	}
	return controller.New(controller.Config{Store: informer.New(kinds), Writer: &world{}, Logger: nullLogger(), Controllers: all})
}

func TestDeclarationsThatDoNotFitAreRefused(t *testing.T) {
	in := []controller.Input{{Kind: candor.KindWorkloads}}
	out := func(kind candor.KindName, s controller.Section, shared bool) []controller.Output {
		return []controller.Output{{Kind: kind, Section: s, Shared: shared}}
	}
	life, status := controller.SectionLife, controller.SectionStatus
	for name, row := range map[string]struct {
		all    []controller.Declaration
		reason candor.Reason
		says   string
	}{
		"none":           {nil, candor.ReasonInvalid, "no controller"},
		"no name":        {[]controller.Declaration{{Inputs: in}}, candor.ReasonInvalid, "name"},
		"no input":       {[]controller.Declaration{{Name: "a"}}, candor.ReasonInvalid, "no input"},
		"workers":        {[]controller.Declaration{{Name: "a", Inputs: in, Workers: 65}}, candor.ReasonInvalid, "65 workers"},
		"unknown input":  {[]controller.Declaration{{Name: "a", Inputs: []controller.Input{{Kind: "x.y"}}}}, candor.ReasonUnknownKind, "x.y"},
		"unknown output": {[]controller.Declaration{{Name: "a", Inputs: in, Outputs: out("x.y", life, false)}}, candor.ReasonUnknownKind, "x.y"},
		"section":        {[]controller.Declaration{{Name: "a", Inputs: in, Outputs: out(candor.KindWorkloads, "", false)}}, candor.ReasonInvalid, "section"},
		"twice": {[]controller.Declaration{{
			Name: "a", Inputs: in, Outputs: append(out(candor.KindWorkloads, life, true), out(controller.AnyKind, life, true)...),
		}}, candor.ReasonInvalid, "twice"},
		"one name": {[]controller.Declaration{{Name: "a", Inputs: in}, {Name: "a", Inputs: in}}, candor.ReasonInvalid, "called a"},
		"one section": {[]controller.Declaration{
			{Name: "a", Inputs: in, Outputs: out(candor.KindWorkloads, status, true)},
			{Name: "b", Inputs: in, Outputs: out(candor.KindWorkloads, status, false)},
		}, candor.ReasonInvalid, "a and b both write STATUS"},
		"any kind": {[]controller.Declaration{
			{Name: "a", Inputs: in, Outputs: out(controller.AnyKind, life, false)},
			{Name: "b", Inputs: in, Outputs: out(candor.KindWorkloads, life, false)},
		}, candor.ReasonInvalid, "a and b both write LIFE"},
	} {
		_, err := declared(row.all...)
		if candor.ReasonOf(err) != row.reason || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want %s that says %q", name, err, row.reason, row.says)
		}
	}
}

func TestTheGraphIsWhatWasDeclared(t *testing.T) {
	r, err := declared(
		controller.Declaration{
			Name: "maker", Workers: 4, Inputs: []controller.Input{{Kind: candor.KindWorkloads}, {Kind: candor.KindInstances}},
			Outputs: []controller.Output{{Kind: candor.KindInstances, Section: controller.SectionLife, Shared: true}},
		},
		controller.Declaration{
			Name: "sweeper", Inputs: []controller.Input{{Kind: candor.KindInstances}},
			Outputs: []controller.Output{{Kind: candor.KindInstances, Section: controller.SectionLife, Shared: true}},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	in, out := controller.DirectionInput, controller.DirectionOutput
	want := controller.Graph{
		Controllers: []controller.GraphController{{Name: "maker", Workers: 4}, {Name: "sweeper", Workers: 1}},
		Edges: []controller.Edge{
			{Controller: "maker", Kind: candor.KindWorkloads, Direction: in},
			{Controller: "maker", Kind: candor.KindInstances, Direction: in},
			{Controller: "maker", Kind: candor.KindInstances, Direction: out, Section: controller.SectionLife, Shared: true},
			{Controller: "sweeper", Kind: candor.KindInstances, Direction: in},
			{Controller: "sweeper", Kind: candor.KindInstances, Direction: out, Section: controller.SectionLife, Shared: true},
		},
	}
	if d := cmp.Diff(want, r.Graph()); d != "" {
		t.Error(d)
	}
}
