package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

const roleIntercepted = "intercepted"

// interceptor decides what becomes of a server's syncs of its log. The kernel
// asks it at each fsync and fdatasync; syncs of other files pass.
type interceptor struct {
	calls *calls
	wait  sync.WaitGroup

	mu    sync.Mutex
	fault syncFault
	held  []uint64
}

type syncFault int

const (
	syncPasses syncFault = iota
	syncFails            // with EIO
	syncHangs
)

// intercept begins the server under an interceptor, or skips the test where the
// kernel has none.
func intercept(t *testing.T, p *process) *interceptor {
	t.Helper()
	var receive func() (*calls, error)
	p.launch = func(args ...string) *exec.Cmd {
		child, err := watched(roleIntercepted, append([]string{binary}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return child
	}
	p.start = func(child *exec.Cmd) (err error) {
		receive, err = startWatched(child)
		return err
	}
	p.begin(t)
	p.launch, p.start = nil, nil
	syncs, err := receive()
	if err != nil {
		<-p.ended
		if text := p.said(t); strings.Contains(text, watchRefused) {
			t.Skipf("SKIPPED, failing and hanging disks are not tested: %s", text)
		}
		t.Fatalf("%v: %s", err, p.said(t))
	}
	i := &interceptor{calls: syncs}
	i.wait.Go(func() { i.calls.serve(i.decide) })
	t.Cleanup(func() {
		p.kill()
		i.wait.Wait()
		i.calls.close()
	})
	return i
}

// set says what becomes of syncs from now on, and of those that hang.
func (i *interceptor) set(fault syncFault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fault = fault
	if fault != syncHangs {
		for _, id := range i.held {
			i.answer(id)
		}
		i.held = nil
	}
}

func (i *interceptor) decide(asked *notification) {
	file, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", asked.thread, asked.arguments[0]))
	isLog := err == nil && filepath.Ext(file) == ".wal"
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case !isLog:
		i.calls.pass(asked.id)
	case i.fault == syncHangs:
		i.held = append(i.held, asked.id)
	default:
		i.answer(asked.id)
	}
}

func (i *interceptor) answer(id uint64) {
	if i.fault == syncFails {
		i.calls.fail(id, unix.EIO)
		return
	}
	i.calls.pass(id)
}
