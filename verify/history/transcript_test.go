package history_test

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/candor-plane/candor/verify/history"
)

// TestEachCheckerSeesWhatBreaksItsPromise: each transcript gives a checker
// histories that keep its promise and histories that do not, and shows what it
// says. A checker that nobody has seen fail is not trusted.
func TestEachCheckerSeesWhatBreaksItsPromise(t *testing.T) {
	datadriven.Walk(t, "testdata/checkers", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "check" {
				d.Fatalf(t, "no command %s", d.Cmd)
			}
			var names []string
			for _, arg := range d.CmdArgs {
				names = append(names, arg.Key)
			}
			return history.Check(script(t, d.Input), checkers(t, names)...).String()
		})
	})
}
