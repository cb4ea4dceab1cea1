package process

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// Lifeline ends a child with this process, whatever ends that. It hangs on the thread
// that starts the child, which must live as long.
func Lifeline() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// Stopped says whether the process is stopped by a signal. Its state follows its
// name, which may have any character (proc_pid_stat(5)).
func (r *Run) Stopped() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.Child.Process.Pid))
	return err == nil && bytes.HasPrefix(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" T"))
}
