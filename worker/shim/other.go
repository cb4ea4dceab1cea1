//go:build !linux

package shim

import (
	"context"

	"github.com/candor-plane/candor"
)

var errLinux = &candor.Error{Reason: candor.ReasonUnimplemented, Message: "workers run instances on Linux only; --simulate works everywhere"}

// Lock is held by one process at a time.
type Lock struct{}

// TakeLock refuses.
func TakeLock(string) (*Lock, error) { return nil, errLinux }

// Release has nothing to give back.
func (*Lock) Release() error { return nil }

// Running is a run whose shim lives.
type Running struct{}

// BootID refuses.
func BootID() (string, error) { return "", errLinux }

// Main refuses.
func Main(Dir) error { return errLinux }

// Launch refuses.
func Launch(context.Context, []string, Dir, int) error { return errLinux }

// Attach refuses.
func Attach(context.Context, Dir, string) (*Running, *Record, error) { return nil, nil, errLinux }

// EndForgotten refuses.
func EndForgotten(context.Context, []string, string) ([]string, error) { return nil, errLinux }

// Record is empty.
func (*Running) Record() Record { return Record{} }

// Wait refuses.
func (*Running) Wait(context.Context, string) (*Record, error) { return nil, errLinux }

// Stop refuses.
func (*Running) Stop() error { return errLinux }

// Kill refuses.
func (*Running) Kill() error { return errLinux }

// Close has nothing to close.
func (*Running) Close() error { return nil }
