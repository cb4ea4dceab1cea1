//go:build !linux

package calls

import (
	"errors"
	"os/exec"
	"syscall"
)

// Calls are none here: user notification is the Linux kernel's.
type Calls struct{}

var elsewhere = errors.New("it needs Linux")

// Start refuses.
func Start(*exec.Cmd, func(*exec.Cmd) error) (receive func() (*Calls, error), err error) {
	return nil, unable(elsewhere)
}

// Serve returns at once.
func (*Calls) Serve(func(*Call)) {}

// Pass does nothing.
func (*Calls) Pass(*Call) {}

// Fail does nothing.
func (*Calls) Fail(*Call, syscall.Errno) {}

// Close does nothing.
func (*Calls) Close() {}

// Become refuses.
func Become([]string) error { return unable(elsewhere) }
