package replica

import (
	"time"

	"golang.org/x/sys/unix"
)

// Boot is CLOCK_BOOTTIME.
func (SystemClock) Boot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		// The clock exists since Linux 2.6.39; a sandbox that hides it is a wiring fault.
		panic("replica: CLOCK_BOOTTIME: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
