package worker

import (
	"encoding/json"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// sessionOf is the session that a node was observed under last.
func sessionOf(node *candor.Object) string {
	var observed candor.NodeObserved
	if len(node.Observed) == 0 || json.Unmarshal(node.Observed, &observed) != nil {
		return ""
	}
	return observed.Session
}

// Capacity is what this machine has: its processors, and its memory where /proc tells.
func Capacity() candor.Resources {
	capacity := candor.Resources{{Name: candor.ResourceCPU, Value: int64(runtime.NumCPU()) * 1000}}
	if bytes := memory(); bytes > 0 {
		capacity = append(capacity, candor.Amount{Name: candor.ResourceMemory, Value: bytes})
	}
	return capacity
}

// memory is MemTotal of /proc/meminfo, proc_meminfo(5), in bytes; 0 where it is not told.
func memory() int64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		rest, found := strings.CutPrefix(line, "MemTotal:")
		if !found {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return 0
		}
		return kib << 10
	}
	return 0
}
