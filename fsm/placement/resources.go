package placement

import (
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/literal"
)

// Resources reads an object of quantities; nothing for nil. Amounts of nothing are
// left out, so that equal amounts are equal values. The error is INVALID and names
// what cannot be read: a quantity that is none or too large, or a name that is
// written with an escape, behind which a turn would miss it.
func Resources(quantities []byte) (candor.Resources, *candor.Error) {
	if quantities == nil {
		return nil, nil
	}
	var out candor.Resources
	var wrong *candor.Error
	complete := literal.Members(quantities, func(name, value []byte) bool {
		text, ok := literal.Text(value)
		if !ok {
			text = string(value)
		}
		if !plain(name) {
			wrong = candor.Errorf(candor.ReasonInvalid, "resources: the name %q is written with an escape", name)
			return false
		}
		amount, err := candor.ParseAmount(string(name), text)
		if err != nil {
			wrong = err
			return false
		}
		if amount > 0 {
			out = append(out, candor.Amount{Name: string(name), Value: amount})
		}
		return true
	})
	if wrong == nil && !complete {
		wrong = candor.Errorf(candor.ReasonInvalid, "resources: want an object of quantities")
	}
	if wrong != nil {
		return nil, wrong
	}
	slices.SortFunc(out, func(a, b candor.Amount) int { return strings.Compare(a.Name, b.Name) })
	for i := range out[:max(0, len(out)-1)] {
		if out[i].Name == out[i+1].Name {
			return nil, candor.Errorf(candor.ReasonInvalid, "resources: %s is given twice", out[i].Name)
		}
	}
	return out, nil
}

// Needs is what an instance asks for, by its spec.
func Needs(spec []byte) (candor.Resources, *candor.Error) {
	if !literal.Plain(spec) {
		return nil, candor.Errorf(candor.ReasonInvalid, "spec: a name is written with an escape")
	}
	return Resources(literal.Member(spec, "resources"))
}
