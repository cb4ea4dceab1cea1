//go:build !linux

package replica

import "time"

var processStart = time.Now()

// Boot stands still while the machine is suspended: no clock that counts it is
// known here.
func (SystemClock) Boot() time.Duration { return time.Since(processStart) + 1 }
