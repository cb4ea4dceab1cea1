package integration

import "syscall"

// lifeline ends a child with the test's process, whatever ends that.
func lifeline() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
