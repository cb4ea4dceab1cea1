package process

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Memory is what a process holds, in bytes.
type Memory struct {
	// Resident is VmRSS: anonymous pages and mapped file pages.
	Resident int64
	// Anonymous is RssAnon, without the file pages that the kernel may drop.
	Anonymous int64
}

// CPU is the user and system time of the process since it started, all threads,
// ended ones included. A process that has ended answers an error.
func (c *Child) CPU() (time.Duration, error) { return processCPU(c.PID()) }

// TracerCPU is the time of the tracer that lengthens the process's fsyncs; zero
// without one.
func (c *Child) TracerCPU() (time.Duration, error) {
	tracer, err := c.statusField("TracerPid")
	if err != nil || tracer == 0 {
		return 0, err
	}
	return processCPU(int(tracer))
}

// Memory reads the process's present memory.
func (c *Child) Memory() (Memory, error) {
	resident, err := c.statusField("VmRSS")
	if err != nil {
		return Memory{}, err
	}
	anonymous, err := c.statusField("RssAnon")
	return Memory{Resident: resident << 10, Anonymous: anonymous << 10}, err
}

func (c *Child) statusField(name string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.PID()))
	if err != nil {
		return 0, fmt.Errorf("read member status: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if key == name {
			return strconv.ParseInt(strings.Fields(value)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("process %d has no %s in its status: it has ended", c.PID(), name)
}

// processCPU reads the kernel's clock of another process, exact to the
// nanosecond, where /proc/PID/stat counts in hundredths of a second.
// The clock ID is built as clock_getcpuclockid(3) builds it.
func processCPU(pid int) (time.Duration, error) {
	const scheduled = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &ts); err != nil {
		return 0, fmt.Errorf("read CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// SelfCPU is the user and system time of this process and of every child that
// it has reaped, killed members included.
func SelfCPU() (own, reaped time.Duration, err error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0, 0, fmt.Errorf("read own CPU clock: %w", err)
	}
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &usage); err != nil {
		return 0, 0, fmt.Errorf("read children's CPU time: %w", err)
	}
	return time.Duration(ts.Nano()), time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}
