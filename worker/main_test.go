//go:build linux

package worker

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor/worker/shim"
)

// TestMain is a shim too, and a worker that tests kill: the tests start their own
// binary as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker-shim" {
		exit(shim.Main(shim.Dir(os.Args[2])))
	}
	if len(os.Args) == 3 && os.Args[1] == "worker-alone" {
		exit(runAlone(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
