package integration

import (
	"syscall"

	drilled "github.com/candor-plane/candor/drill/stage/process"
)

// lifeline ends a child with the test's process, whatever ends that.
func lifeline() *syscall.SysProcAttr { return drilled.Lifeline() }
