//go:build !zoo

package zoo

// Enabled says that mistakes can be alive in this build.
const Enabled = false

// Has is false.
func Has(Name) bool { return false }

// Mix does nothing.
func Mix[T any]([]T) {}

// Draw is 0.
func Draw(int) int { return 0 }
