package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Machine is one look at the CPU time of the whole machine.
type Machine struct {
	At time.Time
	// Idle is the time that all cores together have spent without work.
	Idle time.Duration
	// Cores is how many cores Idle sums over.
	Cores int
}

// userHertz is the unit of /proc/stat, fixed by the kernel's interface.
const userHertz = 100

// ReadMachine looks at /proc/stat.
func ReadMachine() (Machine, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Machine{}, fmt.Errorf("read machine CPU time: %w", err)
	}
	first, rest, _ := strings.Cut(string(data), "\n")
	fields := strings.Fields(first)
	if len(fields) < 6 || fields[0] != "cpu" {
		return Machine{}, fmt.Errorf("read machine CPU time: line %q, wanted cpu with at least five numbers", first)
	}
	idle, err := strconv.ParseInt(fields[4], 10, 64)
	if err != nil {
		return Machine{}, fmt.Errorf("read machine CPU time: %w", err)
	}
	waiting, err := strconv.ParseInt(fields[5], 10, 64)
	if err != nil {
		return Machine{}, fmt.Errorf("read machine CPU time: %w", err)
	}
	return Machine{
		At:    time.Now(),
		Idle:  time.Duration(idle+waiting) * (time.Second / userHertz),
		Cores: cores(rest),
	}, nil
}

// BusySince is the CPU time that the machine spent between two looks, stolen
// time and interrupts included, and the share of the machine that this was.
func (m Machine) BusySince(earlier Machine) (time.Duration, float64) {
	capacity := m.At.Sub(earlier.At) * time.Duration(m.Cores)
	if capacity <= 0 {
		return 0, 0
	}
	busy := max(capacity-(m.Idle-earlier.Idle), 0)
	return busy, float64(busy) / float64(capacity)
}

// cores counts the per-core lines: the sum in the first line covers all of
// them, whichever this process may run on.
func cores(lines string) int {
	n := 0
	for line := range strings.Lines(lines) {
		if strings.HasPrefix(line, "cpu") {
			n++
		}
	}
	return n
}
