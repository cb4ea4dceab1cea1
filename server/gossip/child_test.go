package gossip

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// A child is this test binary run as a server of its own, so that it can be
// killed as the kernel kills. The seed's variable makes TestMain become one.
const (
	childSeedEnv = "CANDOR_GOSSIP_TEST_SEED"
	childBootEnv = "CANDOR_GOSSIP_TEST_BOOT"
	childServer  = 3
)

// runChild starts server 3, prints its gossip address and stays until killed,
// or until its parent is gone and standard input ends.
func runChild() error {
	id := identity(childServer)
	id.BootID = os.Getenv(childBootEnv)
	g, err := Start(context.Background(), Config{
		Identity: id, BindAddr: "127.0.0.1", Seeds: []string{os.Getenv(childSeedEnv)},
		Logger: hclog.NewNullLogger(), Profile: quickProfile(),
	})
	if err != nil {
		return err
	}
	fmt.Println(g.Addr())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	return g.Close()
}

// startChild returns the child's gossip address and what kills it with SIGKILL.
func startChild(t *testing.T, boot, seed string) (addr string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childSeedEnv+"="+seed, childBootEnv+"="+boot)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill = func() {
		if killed {
			return
		}
		killed = true
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
		_ = stdin.Close()
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the child did not say where it listens: %v", err)
	}
	return line[:len(line)-1], kill
}

// The whole life of a crash, with real processes: found, killed, dead, back.
func TestAKilledServerIsDeadAndMayComeBackAtAnotherAddress(t *testing.T) {
	n1, _ := startLoopback(t, identity(1))
	n2, _ := startLoopback(t, identity(2), n1.Addr())
	first, kill := startChild(t, "boot-3-1", n1.Addr())
	eventually(t, 10*time.Second, "all three together", func() bool {
		return together(n1, n2) && n1.Stats().Members[StateAlive] == 3 && n2.Stats().Members[StateAlive] == 3
	})

	kill()
	eventually(t, 10*time.Second, "n3 is DEAD for both", func() bool { return sees(n1, 3, StateDead) && sees(n2, 3, StateDead) })

	second, killAgain := startChild(t, "boot-3-2", n1.Addr())
	if second == first {
		t.Fatalf("the child got its old address %s again; this run shows nothing", first)
	}
	eventually(t, 10*time.Second, "n3 is ALIVE at its new address for both", func() bool {
		for _, g := range []*Gossip{n1, n2} {
			m, ok := g.Lookup(serverID(3))
			if !ok || m.State != StateAlive || m.Addr != second || m.BootID != "boot-3-2" {
				return false
			}
		}
		return true
	})
	killAgain()
}

// A crash that nobody noticed yet: the new address is refused at first, shown as
// a conflict, and accepted by itself once the old one is found silent.
func TestAServerThatMovesBeforeItsDeathIsNoticedIsAcceptedLater(t *testing.T) {
	n1, _ := startLoopback(t, identity(1))
	n2, _ := startLoopback(t, identity(2), n1.Addr())
	_, kill := startChild(t, "boot-3-1", n1.Addr())
	eventually(t, 10*time.Second, "all three together", func() bool { return n1.Stats().Members[StateAlive] == 3 && n2.Stats().Members[StateAlive] == 3 })
	events := n1.Subscribe(64)

	kill()
	second, killAgain := startChild(t, "boot-3-2", n1.Addr())
	eventually(t, 15*time.Second, "n3 is ALIVE at its new address for both", func() bool {
		a, _ := n1.Lookup(serverID(3))
		b, _ := n2.Lookup(serverID(3))
		return a.State == StateAlive && a.Addr == second && b.State == StateAlive && b.Addr == second
	})
	eventually(t, 5*time.Second, "no conflict is left", func() bool { return len(n1.Conflicts()) == 0 && len(n2.Conflicts()) == 0 })
	events.Close()
	for e := range events.C() {
		if e.Conflict != nil && e.Conflict.Duplicate() {
			t.Errorf("a server that moved was reported as two live ones: %+v", e.Conflict)
		}
	}
	killAgain()
}
