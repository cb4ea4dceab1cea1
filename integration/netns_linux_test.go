package integration

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNetnsACutBitesOneWayAndHeals(t *testing.T) {
	n, refused := newNamespaces(t)
	if refused != nil {
		t.Skipf("SKIPPED, namespaces are not tested: %v", refused)
	}
	spaces := n.(*namespaces)
	cutsBiteOneWay(t, linksOver(t, n), func(p *process) (l net.Listener, err error) {
		err = spaces.places[p.name].within(func() error {
			l, err = net.Listen("tcp4", p.raft)
			return err
		})
		return l, err
	})
}

// TestNetnsNothingOutlivesATestThatIsKilled: neither a namespace nor a process
// that was started in it.
func TestNetnsNothingOutlivesATestThatIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	holder := exec.Command(self)
	holder.Env = append(os.Environ(), roleVariable+"="+roleNamespace)
	holder.SysProcAttr = lifeline()
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	name, err := bufio.NewReader(out).ReadString('\n')
	if name = strings.TrimSpace(name); strings.HasPrefix(name, namespaceRefused) {
		_ = holder.Wait()
		t.Skipf("SKIPPED, namespaces are not tested: %s", name)
	}
	if err == nil && len(processesIn(name)) != 1 {
		err = fmt.Errorf("processes %v in %s: want one", processesIn(name), name)
	}
	_ = holder.Process.Kill()
	_ = holder.Wait()
	if err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "the end of the process in "+name, func() bool { return len(processesIn(name)) == 0 })
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), name) {
		t.Errorf("%s is still mounted:\n%s", name, mounts)
	}
}

const (
	roleNamespace    = "namespace"
	namespaceRefused = "no namespace"
)

// holdNamespace is the child: it starts a process in a namespace, says which,
// and stays until its parent goes.
func holdNamespace() error {
	space, err := newNamespace(1)
	if err != nil {
		return fmt.Errorf("%s: %w", namespaceRefused, err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	inside := exec.Command(self)
	inside.Env = append(os.Environ(), roleVariable+"="+roleWaiting)
	inside.SysProcAttr = lifeline()
	// Not the parent's: that ends with the parent, and the child by itself then.
	if inside.Stdin, _, err = os.Pipe(); err != nil {
		return err
	}
	if err := space.within(inside.Start); err != nil {
		return err
	}
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", inside.Process.Pid))
	if err != nil {
		return err
	}
	fmt.Println(name)
	return holdStill()
}

const roleWaiting = "waiting"

// holdStill waits for the end of the input.
func holdStill() error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// processesIn are those in a network namespace, named as /proc names it.
func processesIn(name string) []string {
	var in []string
	all, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	for _, path := range all {
		if found, err := os.Readlink(path); err == nil && found == name {
			in = append(in, path)
		}
	}
	return in
}
