package shim

import (
	"os"
	"strconv"

	"github.com/candor-plane/candor"
)

const (
	// mostLogBytes is how long one file of a log gets, oldLogs how many older ones stay.
	mostLogBytes = 8 << 20
	oldLogs      = 3
)

// log is a file that is renamed to NAME.1 when it is full, and that to NAME.2. It
// belongs to one goroutine.
type log struct {
	path string
	file *os.File
	size int64
	most int64
}

func openLog(path string) (*log, error) {
	l := &log{path: path, most: mostLogBytes}
	return l, l.open()
}

func (l *log) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640) //nolint:gosec // those who may read a worker's data may read its logs
	if err != nil {
		return candor.Wrap("log", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // it was only opened
		return candor.Wrap("log", err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write appends p, and rotates before what would make the file too long. A log that
// cannot be written loses what it was given: the command goes on.
func (l *log) Write(p []byte) (int, error) {
	if l.size > 0 && l.size+int64(len(p)) > l.most {
		l.rotate()
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	if err != nil {
		return len(p), nil //nolint:nilerr // as it says
	}
	return len(p), nil
}

// rotate keeps the file where it cannot be renamed.
func (l *log) rotate() {
	for n := oldLogs - 1; n >= 1; n-- {
		_ = os.Rename(l.path+"."+strconv.Itoa(n), l.path+"."+strconv.Itoa(n+1)) // there may be none
	}
	if os.Rename(l.path, l.path+".1") != nil {
		return
	}
	old := l.file
	if l.open() == nil {
		_ = old.Close() // what was written is in the kernel
	}
}

func (l *log) close() error { return l.file.Close() }
