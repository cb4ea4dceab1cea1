//go:build !race

package kinds_test

// raced says that the race detector is on, which makes memory of its own.
const raced = false
