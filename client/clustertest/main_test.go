package clustertest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantReason(t *testing.T, err error, reason candor.Reason) {
	t.Helper()
	if candor.ReasonOf(err) != reason {
		t.Errorf("%v, want %s", err, reason)
	}
}
