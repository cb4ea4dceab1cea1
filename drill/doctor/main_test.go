package doctor

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if code, played := playRole(); played {
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}
