package stage

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// binary is the program that the stages' servers run.
var binary string

// roleVariable has this test's binary begin a stage and wait to be killed.
const roleVariable = "CANDOR_STAGE_ROLE"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == ChildArgument {
		os.Exit(Child(os.Args[2:]))
	}
	if os.Getenv(roleVariable) != "" {
		os.Exit(holdStage(os.Getenv(roleVariable)))
	}
	dir, err := os.MkdirTemp("", "candor-stage-")
	if err == nil {
		binary = filepath.Join(dir, "candor")
		// With failpoints, so that clocks can be set; what is not armed does nothing.
		var out []byte
		if out, err = exec.Command("go", "build", "-tags", "failpoints", "-o", binary, "../../cmd/candor").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build candor:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}
