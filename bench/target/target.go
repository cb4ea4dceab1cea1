// Package target says what the project has promised to reach and judges one
// result by it.
//
// It guarantees that a promise is met only by a number: what was not measured is
// not met and not missed. The report calls it.
package target

import "fmt"

// Basis is what a target's bounds apply to.
type Basis int

const (
	// Ratio is Candor's value over the peer's.
	Ratio Basis = iota
	// Candor is Candor's value itself, in the row's unit.
	Candor
	// Excess is what Candor's value is above the peer's, in the row's unit.
	Excess
	// Held is Candor's value over the peer's in a secured row, which is to be as it
	// is for the same work plain: the bounds say by how many spreads of the plain
	// rounds it may be worse, and Against makes numbers of them.
	Held
)

// Sense is on which side of a bound the promise lies.
type Sense int

const (
	// AtLeast is for what should be high.
	AtLeast Sense = iota
	// AtMost is for what should be low.
	AtMost
)

// Target is one promise about one row. A row may have several; all must hold.
type Target struct {
	Row   string
	Basis Basis
	Sense Sense
	// Floor must be reached; Stretch is aimed at, zero for none.
	Floor, Stretch float64
}

// Verdict is how far a value got.
type Verdict int

const (
	// Missed is beyond the floor.
	Missed Verdict = iota
	// Met is within the floor.
	Met
	// Stretched is within the stretch too.
	Stretched
)

// Judge compares the value on the target's basis with its bounds.
func (t Target) Judge(value float64) Verdict {
	if !t.holds(value, t.Floor) {
		return Missed
	}
	if t.Stretch != 0 && t.holds(value, t.Stretch) {
		return Stretched
	}
	return Met
}

// Against is a Held target in numbers, on Ratio: the plain ratio, and how far the
// plain rounds lay apart.
func (t Target) Against(plain, spread float64) Target {
	if t.Sense == AtLeast {
		spread = -spread
	}
	return Target{Row: t.Row, Basis: Ratio, Sense: t.Sense, Floor: plain + t.Floor*spread}
}

// Bound prints a bound with its sense and unit, as in "≥ 1.1×".
func (t Target) Bound(bound float64, unit string) string {
	sign, allowance := "≥", "-"
	if t.Sense == AtMost {
		sign, allowance = "≤", "+"
	}
	if t.Basis == Held {
		return fmt.Sprintf("%s plain %s %g spread", sign, allowance, bound)
	}
	if t.Basis == Ratio || unit == "×" {
		return fmt.Sprintf("%s %.4g×", sign, bound)
	}
	text := fmt.Sprintf("%s %g %s", sign, bound, unit)
	if t.Basis == Excess {
		text += " more"
	}
	return text
}

// For is every target of a row.
func For(row string) []Target {
	var found []Target
	for _, t := range table {
		if t.Row == row {
			found = append(found, t)
		}
	}
	return found
}

// Rows is the name of every row that has a target, in the table's order.
func Rows() []string {
	names := make([]string, 0, len(table))
	for _, t := range table {
		names = append(names, t.Row)
	}
	return names
}

func (t Target) holds(value, bound float64) bool {
	if t.Sense == AtMost {
		return value <= bound
	}
	return value >= bound
}
