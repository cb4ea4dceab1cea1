package process

import (
	"fmt"
	"os/exec"
	"strconv"
)

// delayed wraps the command in a tracer that lengthens every fsync and fdatasync.
//
// -D detaches the tracer, so that the process ID, the parent and the death
// signal stay those of the member itself. --seccomp-bpf stops the member at the
// two named calls only, so that its other system calls run at full speed.
func delayed(command Command) (string, []string, error) {
	if command.FsyncDelay <= 0 {
		return command.Path, command.Args, nil
	}
	tracer, err := exec.LookPath("strace")
	if err != nil {
		return "", nil, fmt.Errorf("an fsync delay of %v needs strace on the PATH (Debian: apt-get install strace): %w", command.FsyncDelay, err)
	}
	micros := strconv.FormatInt(command.FsyncDelay.Microseconds(), 10)
	args := []string{
		"-D", "-f", "--seccomp-bpf", "-qqq", "-o", "/dev/null",
		"-e", "signal=none", "-e", "trace=fsync,fdatasync",
		"-e", "inject=fsync,fdatasync:delay_exit=" + micros,
		"--", command.Path,
	}
	return tracer, append(args, command.Args...), nil
}
