//go:build zoo

package zoo

import (
	"os"
	"slices"
	"sync/atomic"
)

// Enabled says that mistakes can be alive in this build.
const Enabled = true

// releasedBy is the environment variable.
const releasedBy = "CANDOR_ZOO"

// alive is the mistake that is; empty for none.
var alive atomic.Pointer[Name]

func init() {
	if name := os.Getenv(releasedBy); name != "" {
		Release(Name(name))
	}
}

// Has says that a mistake is alive.
func Has(name Name) bool {
	n := alive.Load()
	return n != nil && *n == name
}

// Release lets a mistake out until cage is called. Another that is out is a reason to
// panic, and so is a name that is none.
func Release(name Name) (cage func()) {
	if !slices.ContainsFunc(Bugs(), func(b Bug) bool { return b.Name == name }) {
		panic("zoo: there is no mistake " + string(name))
	}
	if !alive.CompareAndSwap(nil, &name) {
		panic("zoo: " + string(*alive.Load()) + " is out, and " + string(name) + " cannot be")
	}
	return func() { alive.CompareAndSwap(&name, nil) }
}

// Mix puts the elements into the order of a map.
func Mix[T any](of []T) {
	places := map[int]T{}
	for i, x := range of {
		places[i] = x
	}
	at := 0
	for _, x := range places {
		of[at] = x
		at++
	}
}

// Draw is the key that the iteration over a map of n begins with, another each time.
func Draw(n int) int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	Mix(places)
	return places[0]
}
