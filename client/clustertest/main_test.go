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

func wantReason(t *testing.T, err error, want candor.Reason) {
	t.Helper()
	if got := candor.ReasonOf(err); got != want {
		t.Fatalf("got %v, want reason %s", err, want)
	}
}
