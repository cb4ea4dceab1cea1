package numbers

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/candor-plane/candor/fsm/tenure"
)

// Violation is a promise that two answers, or an answer and a seal, break.
type Violation struct {
	Promise string
	Detail  string
}

// String is the violation for people.
func (v Violation) String() string { return v.Promise + ": " + v.Detail }

// The promises.
const (
	// Once: no number is handed out twice.
	Once = "no number twice"
	// Inherited: an era hands out numbers above all of the eras before it.
	Inherited = "eras inherit"
	// Growing: what is handed out is above all that was handed out before it was
	// asked for.
	Growing = "growing in real time"
	// Sealed: what an era handed out lies above its start, and at or below the usage
	// that it was sealed with, and its holder alone gave it.
	Sealed = "within the seal"
)

// Check holds the answers of one duty against Once, Inherited and, where growing is
// set, Growing.
func Check(answers []Answer, growing bool) []Violation {
	found := distinct(answers)
	if growing {
		found = append(found, grows(answers)...)
	}
	return found
}

func distinct(answers []Answer) (found []Violation) {
	sorted := slices.Clone(answers)
	slices.SortFunc(sorted, func(a, b Answer) int { return cmp.Compare(a.First, b.First) })
	for i := 1; i < len(sorted); i++ {
		a, b := &sorted[i-1], &sorted[i]
		if a.Last() >= b.First {
			found = append(found, broken(Once, a, b))
		}
		if a.Era > b.Era {
			found = append(found, broken(Inherited, a, b))
		}
	}
	return found
}

func grows(answers []Answer) (found []Violation) {
	begun, ended := slices.Clone(answers), slices.Clone(answers)
	slices.SortFunc(begun, func(a, b Answer) int { return cmp.Compare(a.Began, b.Began) })
	slices.SortFunc(ended, func(a, b Answer) int { return cmp.Compare(a.Ended, b.Ended) })
	var highest *Answer
	for i := range begun {
		b := &begun[i]
		for len(ended) > 0 && ended[0].Ended < b.Began {
			if highest == nil || ended[0].Last() > highest.Last() {
				highest = &ended[0]
			}
			ended = ended[1:]
		}
		if highest != nil && highest.Last() >= b.First {
			found = append(found, broken(Growing, highest, b))
		}
	}
	return found
}

// CheckSeals holds the answers of one duty against Sealed, by versions of its
// lineage. value is the frontier that the duty's numbers move.
func CheckSeals(answers []Answer, versions []tenure.Lineage, value func(tenure.Frontiers) uint64) (found []Violation) {
	eras := map[uint64]tenure.Era{}
	for _, l := range versions {
		for _, x := range l.Eras() {
			eras[x.Number] = x
		}
	}
	for i := range answers {
		a := &answers[i]
		x, known := eras[a.Era]
		switch {
		case !known:
			found = append(found, Violation{Sealed, fmt.Sprintf("%s: no version has that era", a)})
		case x.Holder != a.Holder:
			found = append(found, Violation{Sealed, fmt.Sprintf("%s: the era is of %s", a, x.Holder)})
		case a.First <= value(x.Start):
			found = append(found, Violation{Sealed, fmt.Sprintf("%s: the era starts above %d", a, value(x.Start))})
		case x.State != tenure.StateActive && a.Last() > value(x.Usage):
			found = append(found, Violation{Sealed, fmt.Sprintf("%s: the era was sealed with %d", a, value(x.Usage))})
		}
	}
	return found
}

// String is the answer for people.
func (a *Answer) String() string {
	return fmt.Sprintf("%s %d-%d of era %d by %s (%d-%d)", a.Duty, a.First, a.Last(), a.Era, a.Holder, a.Began, a.Ended)
}

func broken(promise string, a, b *Answer) Violation {
	return Violation{promise, fmt.Sprintf("%s, and %s", a, b)}
}
