package shim

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is a shim too: the tests start their own binary as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker-shim" {
		if err := Main(Dir(os.Args[2])); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// lingers leaves a test of many shims to make test: a process that the race detector
// watches takes a second to end.
func lingers(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("many shims, each a second longer under the race detector; make test has it")
	}
}
