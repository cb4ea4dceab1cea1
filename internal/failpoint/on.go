//go:build failpoints

package failpoint

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Enabled says that points can be armed in this build.
const Enabled = true

// The environment variables.
const (
	armedBy   = "CANDOR_FAILPOINTS"
	shiftedBy = "CANDOR_CLOCK_OFFSET"
)

var (
	arms  = os.Getenv(armedBy)
	shift = os.Getenv(shiftedBy)

	mu    sync.Mutex
	armed armory
)

// Hit does what the point is armed with; an error is Fail's alone, and ignored here.
func Hit(point, subject string) { _ = Fail(point, subject) }

// Fail is Hit where the caller can fail: the error that the point is armed with.
func Fail(point, subject string) error {
	a := due(point, subject)
	if a == nil {
		return nil
	}
	fmt.Fprintf(os.Stderr, "failpoint %s[%s]: %s\n", point, subject, a.action)
	switch a.action {
	case actionCrash:
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {} // nothing is done after it
	case actionPause:
		time.Sleep(a.pause)
	case actionPanic:
		panic(fmt.Sprintf("failpoint %s[%s]", point, subject))
	case actionError:
		return fmt.Errorf("failpoint %s[%s]", point, subject)
	}
	return nil
}

// Shift is how far the wall clock of this process is from the machine's.
func Shift() time.Duration {
	text := read(shift)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", shiftedBy, err))
	}
	return d
}

func due(point, subject string) *arm {
	mu.Lock()
	defer mu.Unlock()
	if err := armed.load(read(arms)); err != nil {
		panic(fmt.Sprintf("%s: %v", armedBy, err))
	}
	return armed.hit(point, subject)
}

// read is the value of a variable, or what the file holds that it names. A file that is
// not there holds nothing.
func read(value string) string {
	path, named := strings.CutPrefix(value, "@")
	if !named {
		return value
	}
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		panic(err)
	}
	return strings.TrimSpace(string(text))
}
