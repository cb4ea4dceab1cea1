package servertest_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long leaves a test to make test: under the race detector, which knows its code
// by others, it would take minutes.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes minutes under the race detector; make test runs it")
	}
}
