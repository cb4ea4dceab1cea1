package shim

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor"
)

// Lock is held by one process at a time, and by none that has ended.
type Lock struct{ file *os.File }

// TakeLock takes the lock at path; nil when another holds it.
func TakeLock(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, candor.Wrap("lock", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, f.Close()
	}
	if err != nil {
		return nil, candor.Errorf(candor.ReasonInternal, "lock %s: %w", path, errors.Join(err, f.Close()))
	}
	return &Lock{file: f}, nil
}

// Release gives it back.
func (l *Lock) Release() error { return l.file.Close() }
