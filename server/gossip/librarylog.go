package gossip

import (
	"bytes"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
)

const libraryLogBuffer = 64

// libraryLog takes memberlist's log lines. They are diagnostics: all of them
// become debug lines, because what an operator must know this package says
// itself, once. The library writes some of them under its locks, so a line is
// queued, and dropped when the queue is full. Only unreadable reads them for more.
type libraryLog struct {
	unreadable *unreadable
	enabled    func() bool
	lines      chan string
	drops      atomic.Uint64
	closed     atomic.Bool
}

func newLibraryLog(logger hclog.Logger, u *unreadable) *libraryLog {
	return &libraryLog{unreadable: u, enabled: logger.IsDebug, lines: make(chan string, libraryLogBuffer)}
}

// stampLen is the date and time that the standard logger puts before a line.
const stampLen = len("2006/01/02 15:04:05 ")

// Write takes one line, which the standard logger hands over whole.
func (l *libraryLog) Write(line []byte) (int, error) {
	if l.closed.Load() {
		return len(line), nil
	}
	l.unreadable.line(line)
	if !l.enabled() {
		return len(line), nil
	}
	select {
	case l.lines <- string(bytes.TrimSpace(line[min(stampLen, len(line)):])):
	default:
		l.drops.Add(1)
	}
	return len(line), nil
}
