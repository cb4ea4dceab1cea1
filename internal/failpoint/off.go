//go:build !failpoints

package failpoint

import "time"

// Enabled says that points can be armed in this build.
const Enabled = false

// Hit does nothing.
func Hit(string, string) {}

// Fail is nil.
func Fail(string, string) error { return nil }

// Shift is 0.
func Shift() time.Duration { return 0 }
