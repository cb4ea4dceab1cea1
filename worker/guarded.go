package worker

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/candor-plane/candor"
)

// guarded is call's error, or the panic that it ended with: what is wrong with one
// instance is not to end the worker of the others.
func guarded(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = candor.Errorf(candor.ReasonInternal, "the worker failed at %s: %v", panickedAt(), p)
		}
	}()
	return call()
}

// panickedAt is the file and the line that the panic came from which is being recovered.
func panickedAt() string {
	var callers [32]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for panicked := false; ; {
		frame, more := frames.Next()
		inside := strings.HasPrefix(frame.Function, "runtime.")
		if panicked && !inside {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		panicked = panicked || inside
		if !more {
			return "an unknown place"
		}
	}
}
