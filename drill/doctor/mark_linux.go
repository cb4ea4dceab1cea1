package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// Self marks what belongs to this process.
func Self() (Mark, error) {
	m, err := here()
	if err == nil {
		m.Owner = os.Getpid()
		m.Start, err = startOf(m.Owner)
	}
	if err != nil {
		return Mark{}, candor.Errorf(candor.ReasonUnavailable, "a drill's mark: %w", err)
	}
	return m, nil
}

// here is a mark without an owner.
func here() (Mark, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Mark{}, err
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	return Mark{Boot: strings.TrimSpace(string(boot)), Space: space}, err
}

// dead says whether the owner is certainly gone.
func (m Mark) dead() (bool, error) {
	now, err := here()
	if err != nil {
		return false, err
	}
	if m.Boot != now.Boot {
		return true, nil
	}
	if m.Space != now.Space {
		return false, nil
	}
	start, err := startOf(m.Owner)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, errEnded) {
		return true, nil
	}
	return err == nil && start != m.Start, err
}

// errEnded is of a process whose parent has not asked for its end yet.
var errEnded = errors.New("the process has ended")

// startOf is when a process began, in ticks since the boot (proc_pid_stat(5)).
func startOf(process int) (uint64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return 0, err
	}
	// The name, in brackets, may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const state, start = 0, 19 // the third and the 22nd of all
	if len(fields) <= start {
		return 0, fmt.Errorf("/proc/%d/stat: %q: want %d fields after the name", process, stat, start+1)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return 0, errEnded
	}
	return strconv.ParseUint(fields[start], 10, 64)
}
