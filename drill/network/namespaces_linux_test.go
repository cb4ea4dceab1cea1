package network

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
	"syscall"
	"testing"
	"time"
)

// datagrams are two stations' ends of something that TCP does not mend.
func datagrams(t *testing.T, l *Links) (sender, receiver net.PacketConn) {
	t.Helper()
	n := l.carrier.(*namespaces)
	var ends []net.PacketConn
	for _, s := range []*station{newStation(t, l, "a"), newStation(t, l, "b")} {
		if err := s.within(func() error {
			end, err := net.ListenPacket("udp4", inetAddress(n.at(s.Name).number)+":4000")
			ends = append(ends, end)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_ = ends[0].Close()
		_ = ends[1].Close()
	})
	return ends[0], ends[1]
}

// TestPacketsMeetWhatTheShapeSays: as many arrive, as often and in such an order,
// as the counters tell.
func TestPacketsMeetWhatTheShapeSays(t *testing.T) {
	l := newLinks(t, Namespaces)
	sender, receiver := datagrams(t, l)
	fault, err := l.Shape(t.Context(), Shape{Delay: 5 * time.Millisecond, Loss: 20, Reorder: 20, Duplicate: 10}, Direction{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	const messages = 300
	for i := range messages {
		if _, err := fmt.Fprint(to{sender, receiver.LocalAddr()}, i); err != nil {
			t.Fatal(err)
		}
	}
	times, overtaken, highest := map[int]int{}, 0, -1
	buffer := make([]byte, 16)
	for arrived := 0; ; arrived++ {
		b := fault.Bite()
		if b.Messages == messages && int64(arrived) == messages-b.Lost+b.Duplicated {
			break
		}
		_ = receiver.SetReadDeadline(time.Now().Add(comesAbout))
		n, _, err := receiver.ReadFrom(buffer)
		if err != nil {
			t.Fatalf("%d arrived, then: %v; counted %+v", arrived, err, fault.Bite())
		}
		var number int
		if _, err := fmt.Sscan(string(buffer[:n]), &number); err != nil {
			t.Fatal(err)
		}
		if times[number]++; number < highest && times[number] == 1 {
			overtaken++
		}
		highest = max(highest, number)
	}
	b, twice := fault.Bite(), 0
	for _, n := range times {
		if n == 2 {
			twice++
		}
	}
	if int64(len(times)) != messages-b.Lost || int64(twice) != b.Duplicated || overtaken == 0 || b.Lost == 0 || b.Duplicated == 0 || b.Held != 0 {
		t.Errorf("%d arrived, %d twice, %d overtaken; counted %+v", len(times), twice, overtaken, b)
	}
	if err := fault.Heal(t.Context()); err != nil {
		t.Error(err)
	}
	before := l.Counters()[Direction{"a", "b"}]
	if _, err := sender.WriteTo([]byte("x"), receiver.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	_ = receiver.SetReadDeadline(time.Now().Add(comesAbout))
	if _, _, err := receiver.ReadFrom(buffer); err != nil {
		t.Error(err)
	}
	if after := l.Counters()[Direction{"a", "b"}]; after != before {
		t.Errorf("healed, and counted on: %+v, before %+v", after, before)
	}
}

type to struct {
	net.PacketConn
	address net.Addr
}

func (t to) Write(data []byte) (int, error) { return t.WriteTo(data, t.address) }

// TestNothingOutlivesANetworkThatIsKilled: neither a namespace nor a process
// that was started in it.
func TestNothingOutlivesANetworkThatIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), roleVariable+"="+roleHolding)
	holder.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
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
	if name = strings.TrimSpace(name); strings.HasPrefix(name, refusal) {
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
	for len(processesIn(name)) > 0 {
		if ctx.Err() != nil {
			t.Fatalf("the network is gone, and %v is still in %s", processesIn(name), name)
		}
		time.Sleep(5 * time.Millisecond)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), name) {
		t.Errorf("%s is still mounted:\n%s", name, mounts)
	}
}

// TestAShelterHasNamespacesWithoutRights: a whole network with a cut, made by a
// user who has none.
func TestAShelterHasNamespacesWithoutRights(t *testing.T) {
	if Sheltered() {
		t.Skip("SKIPPED: this is one")
	}
	if _, err := exec.LookPath("setpriv"); err != nil && os.Geteuid() == 0 {
		t.Skipf("SKIPPED, shelters are not tested: %v", err)
	}
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // one that another user may look into
	for at := dir; at != os.TempDir() && len(at) > 1; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "network.test")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program)
	if os.Geteuid() == 0 {
		command = exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program)
	}
	command.Env, command.Dir = append(os.Environ(), roleVariable+"="+roleSheltering), dir
	out, err := command.CombinedOutput()
	switch text := strings.TrimSpace(string(out)); {
	case strings.HasPrefix(text, refusal):
		t.Skipf("SKIPPED, shelters are not tested: %s", text)
	case err != nil || text != "cut, and healed":
		t.Errorf("%v: %s", err, text)
	}
}

const (
	roleHolding    = "holding"
	roleWaiting    = "waiting"
	roleSheltering = "sheltering"
	roleSheltered  = "sheltered"

	refusal = "refused: "
)

func play(role string) error {
	switch role {
	case roleHolding:
		return holdNamespace()
	case roleWaiting:
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case roleSheltering:
		return takeShelter()
	case roleSheltered:
		return cutInShelter()
	}
	return fmt.Errorf("no such role: %q", role)
}

// holdNamespace starts a process in a namespace, says which, and stays until its
// parent goes.
func holdNamespace() error {
	l, err := New(context.Background(), Options{Layer: Namespaces})
	if err != nil {
		return fmt.Errorf("%s%w", refusal, err)
	}
	place, err := l.Place("a", "127.0.0.1:7101", "127.0.0.1:7201")
	if err != nil {
		return err
	}
	inside := exec.Command(os.Args[0])
	inside.Env = append(os.Environ(), roleVariable+"="+roleWaiting)
	inside.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	// Not the parent's: that ends with the parent, and the child by itself then.
	if inside.Stdin, _, err = os.Pipe(); err != nil {
		return err
	}
	if err := place.Start(inside.Start); err != nil {
		return err
	}
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", inside.Process.Pid))
	if err != nil {
		return err
	}
	fmt.Println(name)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// takeShelter is the process without rights: it wants to be refused namespaces,
// and has a child make them.
func takeShelter() error {
	if l, err := New(context.Background(), Options{Layer: Namespaces}); err == nil {
		_ = l.Close()
		return fmt.Errorf("this process, of user %d, may make namespaces: nothing is proved", os.Geteuid())
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), roleVariable+"="+roleSheltered)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	Shelter(child)
	if err := child.Start(); err != nil {
		return fmt.Errorf("%s%w", refusal, err)
	}
	return child.Wait()
}

func cutInShelter() error {
	ctx := context.Background()
	l, err := New(ctx, Options{Layer: Namespaces})
	if err != nil {
		return err
	}
	for i, name := range []string{"a", "b"} {
		if _, err := l.Place(name, fmt.Sprintf("127.0.0.1:%d", 7101+i), fmt.Sprintf("127.0.0.1:%d", 7201+i)); err != nil {
			return err
		}
	}
	cut, err := l.Cut(ctx, Direction{"a", "b"})
	if err != nil {
		return err
	}
	if err := cut.Heal(ctx); err != nil {
		return err
	}
	own, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp4", own.Addr().String())
	if err != nil {
		return fmt.Errorf("the shelter's loopback: %w", err)
	}
	if err := conn.Close(); err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	fmt.Println("cut, and healed")
	return own.Close()
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

func TestEveryLayerSaysWhetherItCanBeMade(t *testing.T) {
	for _, check := range Checks() {
		p := check(t.Context())
		t.Logf("%+v", p)
		if p.Injector == "" || p.Use == "" || p.Fallback == "" || p.Able == (p.Why != "") {
			t.Errorf("%+v", p)
		}
	}
}
