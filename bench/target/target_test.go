package target_test

import (
	"testing"

	"github.com/candor-plane/candor/bench/target"
)

func TestABoundItselfIsMetOnBothSenses(t *testing.T) {
	rate := target.Target{Sense: target.AtLeast, Floor: 1.1, Stretch: 1.4}
	cost := target.Target{Sense: target.AtMost, Floor: 0.8, Stretch: 0.55}
	hard := target.Target{Basis: target.Candor, Sense: target.AtMost, Floor: 0.7}
	for _, c := range []struct {
		target target.Target
		value  float64
		want   target.Verdict
	}{
		{rate, 1.09, target.Missed}, {rate, 1.1, target.Met}, {rate, 1.39, target.Met}, {rate, 1.4, target.Stretched}, {rate, 9, target.Stretched},
		{cost, 0.81, target.Missed}, {cost, 0.8, target.Met}, {cost, 0.56, target.Met}, {cost, 0.55, target.Stretched}, {cost, 0, target.Stretched},
		{hard, 0.71, target.Missed}, {hard, 0.7, target.Met}, {hard, 0, target.Met},
	} {
		if got := c.target.Judge(c.value); got != c.want {
			t.Errorf("%+v of %v: got %v, wanted %v", c.target, c.value, got, c.want)
		}
	}
}

func TestAStretchIsNeverEasierThanItsFloor(t *testing.T) {
	for _, row := range target.Rows() {
		targets := target.For(row)
		if len(targets) == 0 {
			t.Errorf("row %s has no target", row)
		}
		for _, tt := range targets {
			if tt.Stretch != 0 && tt.Judge(tt.Stretch) != target.Stretched {
				t.Errorf("%s: reaching the stretch %v misses the floor %v", row, tt.Stretch, tt.Floor)
			}
			if tt.Floor <= 0 {
				t.Errorf("%s: floor %v", row, tt.Floor)
			}
		}
	}
}

func TestBoundsPrintWithSenseAndUnit(t *testing.T) {
	for want, got := range map[string]string{
		"≥ 1.1×":             target.Target{Sense: target.AtLeast}.Bound(1.1, "op/s"),
		"≤ 0.5×":             target.Target{Sense: target.AtMost}.Bound(0.5, "s"),
		"≤ 0.7 s":            target.Target{Sense: target.AtMost, Basis: target.Candor}.Bound(0.7, "s"),
		"≤ 1 % core more":    target.Target{Sense: target.AtMost, Basis: target.Excess}.Bound(1, "% core"),
		"≥ plain - 1 spread": target.Target{Sense: target.AtLeast, Basis: target.Held}.Bound(1, "op/s"),
		"≤ plain + 2 spread": target.Target{Sense: target.AtMost, Basis: target.Held}.Bound(2, "ms"),
		"≤ 3×":               target.Target{Sense: target.AtMost, Basis: target.Candor}.Bound(3, "×"),
	} {
		if got != want {
			t.Errorf("got %q, wanted %q", got, want)
		}
	}
}

func TestAHeldRatioMayBeWorseByTheSpreadOfThePlainOneAndNoMore(t *testing.T) {
	rate := target.Target{Basis: target.Held, Sense: target.AtLeast, Floor: 1}.Against(1.5, 0.25)
	cost := target.Target{Basis: target.Held, Sense: target.AtMost, Floor: 1}.Against(0.75, 0.25)
	for _, c := range []struct {
		target target.Target
		value  float64
		want   target.Verdict
	}{
		{rate, 2, target.Met}, {rate, 1.25, target.Met}, {rate, 1.24, target.Missed},
		{cost, 0.5, target.Met}, {cost, 1, target.Met}, {cost, 1.01, target.Missed},
	} {
		if got := c.target.Judge(c.value); got != c.want || c.target.Basis != target.Ratio {
			t.Errorf("%+v of %v: got %v, wanted %v", c.target, c.value, got, c.want)
		}
	}
}
