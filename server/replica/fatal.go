package replica

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/candor-plane/candor"
)

// exit is what Config.OnFatal does unless told otherwise. It writes to nothing
// but stderr: a log may be on the disk that hangs.
func exit(err error) {
	fmt.Fprintf(os.Stderr, "candor: fatal: %v\n", err)
	code := candor.ReasonOf(err).Disposition().Exit
	if code == candor.ExitDone {
		code = candor.ExitError
	}
	os.Exit(code)
}

// failure is the first error that the replica cannot survive.
type failure struct {
	handle func(error)
	first  atomic.Pointer[error]
}

// report notes the error and tells OnFatal, once.
func (f *failure) report(err error) {
	if f.first.CompareAndSwap(nil, &err) {
		f.handle(err)
	}
}

// cause is the error reported, or nil.
func (f *failure) cause() error {
	if err := f.first.Load(); err != nil {
		return *err
	}
	return nil
}
