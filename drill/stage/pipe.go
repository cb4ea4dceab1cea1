package stage

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
)

// pipe is what a server writes its log to when the pipe may be left unread: in between
// to the file, by a goroutine that close ends.
type pipe struct {
	from, into *os.File
	file       *os.File
	done       chan struct{}

	mu     sync.Mutex
	opened chan struct{} // closed while it is read
	silent bool
}

func newPipe(log string) (*pipe, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, candor.Wrap("stage", err)
	}
	from, into, err := os.Pipe()
	if err != nil {
		_ = file.Close()
		return nil, candor.Wrap("stage", err)
	}
	p := &pipe{from: from, into: into, file: file, done: make(chan struct{}), opened: make(chan struct{})}
	close(p.opened)
	go p.run()
	return p, nil
}

// writer is the end for a server, which has it closed once it has its own.
func (p *pipe) writer() (*os.File, error) {
	fd, err := syscall.Dup(int(p.into.Fd()))
	if err != nil {
		return nil, candor.Wrap("stage", err)
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "log"), nil
}

func (p *pipe) run() {
	defer close(p.done)
	buffer := make([]byte, 4<<10)
	for {
		p.mu.Lock()
		opened := p.opened
		p.mu.Unlock()
		<-opened
		n, err := p.from.Read(buffer)
		if n > 0 {
			_, _ = p.file.Write(buffer[:n]) // a full disk must not silence the server
		}
		if err != nil {
			return
		}
	}
}

// silence has nobody read it, and fills it, so that the server's next line waits. It
// returns how many bytes it took.
func (p *pipe) silence() (int, error) {
	p.mu.Lock()
	if !p.silent {
		p.silent, p.opened = true, make(chan struct{})
	}
	p.mu.Unlock()
	// Another description of the same pipe: what is set for it counts for nobody else.
	filler, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", p.into.Fd()), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, candor.Wrap("stage", err)
	}
	defer filler.Close()
	total := 0
	line := []byte("this line is the drill's: nobody reads the log now\n")
	// The reader may be about to take one more buffer.
	for full := 0; full < 5; {
		_ = filler.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		n, err := filler.Write(line)
		total += n
		switch {
		case err == nil:
			full = 0
		case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.EAGAIN):
			full++
		default:
			return total, candor.Wrap("stage", err)
		}
	}
	return total, nil
}

// read has it read again.
func (p *pipe) read() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent {
		p.silent = false
		close(p.opened)
	}
}

// close ends it once the server is gone; what it wrote is in the file then.
func (p *pipe) close() error {
	p.read()
	err := p.into.Close()
	<-p.done
	return errors.Join(err, p.from.Close(), p.file.Close())
}
