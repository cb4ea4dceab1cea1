package monitor

import (
	"strconv"
	"strings"
)

// ordinal is N of an instance's name WORKLOAD-N, also where it has leading zeros.
func ordinal(workload, name string) (n uint64, ok bool) {
	digits, ok := strings.CutPrefix(name, workload+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}
