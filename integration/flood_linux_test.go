package integration

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// flooder is the address that a flood comes from. Everybody else is at 127.0.0.1.
const flooder = "127.0.0.2"

const roleFlooding = "flooding"

// holds are how a connection of a flood may be held, by name.
var holds = map[string]func(c net.Conn){"mute": mute, "idle": idle, "handshaken": handshaken}

// flood is many connections from one address, each of which comes back when it is
// closed. It is a process of its own: what it costs is not the measured client's.
type flood struct {
	child *exec.Cmd
	in    io.Closer
	out   io.Reader
}

// startFlood has a child open n connections to an address and hold each until it is
// closed.
func startFlood(t *testing.T, n int, to, how string) *flood {
	t.Helper()
	mayOpen(t, n+1000)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, fmt.Sprint(n), to, how)
	child.Env = append(os.Environ(), roleVariable+"="+roleFlooding)
	child.SysProcAttr = lifeline()
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return &flood{child, in, out}
}

// end stops it, and returns how often it dialled and how many of these connections
// the kernel took.
func (f *flood) end(t *testing.T) (dialled, taken int) {
	t.Helper()
	_ = f.in.Close()
	_, scanned := fmt.Fscan(f.out, &dialled, &taken)
	if err := f.child.Wait(); err != nil || scanned != nil {
		t.Fatalf("the flood: %v, %v", err, scanned)
	}
	return dialled, taken
}

// floodPause is how long a connection that was closed waits at most before it comes
// back.
const floodPause = 10 * time.Second

// playFlood is the child: it floods until its input ends.
func playFlood(args []string) error {
	if len(args) != 3 || holds[args[2]] == nil {
		return fmt.Errorf("want a number, an address and a way to hold: %q", args)
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(flooder)}, Timeout: 5 * time.Second}
	var wait sync.WaitGroup
	var dialled, taken atomic.Int64
	for range n {
		wait.Go(func() {
			for ctx.Err() == nil {
				dialled.Add(1)
				if c, err := dialer.DialContext(ctx, "tcp", args[1]); err == nil {
					taken.Add(1)
					release := context.AfterFunc(ctx, func() { _ = c.Close() })
					holds[args[2]](c)
					release()
					_ = c.Close()
				}
				select {
				case <-ctx.Done():
				case <-time.After(rand.N(floodPause)):
				}
			}
		})
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	stop()
	wait.Wait()
	fmt.Println(dialled.Load(), taken.Load())
	return err
}

// mayOpen wants this process to be allowed that many files.
func mayOpen(t *testing.T, n int) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur >= uint64(n) {
		return
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Max < uint64(n) {
		t.Skipf("INCONCLUSIVE: %d files are needed, and %d allowed", n, limit.Max)
	}
}

// mute says nothing.
func mute(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// handshaken makes the TLS handshake without a certificate, and stays as an HTTP/2
// client that never asks for anything. It does not care who answers.
func handshaken(c net.Conn) {
	secured := tls.Client(c, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}})
	if err := secured.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return
	}
	if secured.Handshake() == nil && secured.SetDeadline(time.Time{}) == nil {
		idle(secured)
	}
}

// HTTP/2 frames (RFC 9113, section 4.1) that an idle client knows.
const (
	frameHeader   = 9
	frameSettings = 4
	framePing     = 6
	frameAck      = 1
)

// idle says that it speaks HTTP/2 and acknowledges what wants it, so that it is
// never taken for dead.
func idle(c net.Conn) {
	settings := []byte{0, 0, 0, frameSettings, 0, 0, 0, 0, 0}
	if _, err := c.Write(append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings...)); err != nil {
		return
	}
	for header := [frameHeader]byte{}; ; {
		if _, err := io.ReadFull(c, header[:]); err != nil {
			return
		}
		payload := make([]byte, int(header[0])<<16|int(header[1])<<8|int(header[2]))
		if _, err := io.ReadFull(c, payload); err != nil {
			return
		}
		kind, acknowledges := header[3], header[4]&frameAck != 0
		if acknowledges || kind != frameSettings && kind != framePing {
			continue
		}
		if kind == frameSettings {
			payload = nil
		}
		answer := []byte{0, 0, byte(len(payload)), kind, frameAck, 0, 0, 0, 0}
		if _, err := c.Write(slices.Concat(answer, payload)); err != nil {
			return
		}
	}
}
