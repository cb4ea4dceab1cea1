package limit_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor/server/limit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newLimiter is one with the defaults, changed.
func newLimiter(t testing.TB, change func(*limit.Settings)) *limit.Limiter {
	t.Helper()
	settings := limit.Defaults()
	if change != nil {
		change(&settings)
	}
	l, err := limit.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
