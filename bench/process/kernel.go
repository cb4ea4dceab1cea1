package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// kernelThread is PF_KTHREAD among the flags in /proc/PID/stat.
const kernelThread = 0x200000

// KernelCPU is the CPU time of the kernel's own threads: they write back, journal
// and complete what processes asked for, and belong to none of them. It is zero
// where this process cannot see them, as in a container.
func KernelCPU() (time.Duration, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, fmt.Errorf("list kernel threads: %w", err)
	}
	var ticks int64
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // It ended in the meantime.
		}
		spent, err := kernelTicks(string(data))
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", path, err)
		}
		ticks += spent
	}
	return time.Duration(ticks) * (time.Second / userHertz), nil
}

// kernelTicks is user and system time of a line of /proc/PID/stat, zero if it is
// not a kernel thread's. The name in parentheses may hold anything.
func kernelTicks(stat string) (int64, error) {
	const flags, user, system = 6, 11, 12
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= system {
		return 0, fmt.Errorf("%d fields after the name, wanted more than %d", len(fields), system)
	}
	bits, err := strconv.ParseUint(fields[flags], 10, 64)
	if err != nil || bits&kernelThread == 0 {
		return 0, err
	}
	userTicks, err := strconv.ParseInt(fields[user], 10, 64)
	if err != nil {
		return 0, err
	}
	systemTicks, err := strconv.ParseInt(fields[system], 10, 64)
	return userTicks + systemTicks, err
}
