package process_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor/bench/process"
)

func sleeper(t *testing.T) process.Command {
	t.Helper()
	return process.Command{Path: "/bin/sleep", Args: []string{"60"}, Log: filepath.Join(t.TempDir(), "log")}
}

func TestAClosedGroupHasNoLiveMember(t *testing.T) {
	spawner := process.NewSpawner()
	defer spawner.Close()
	group, err := process.StartGroup(spawner, []process.Command{sleeper(t), sleeper(t), sleeper(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := group.Err(); err != nil {
		t.Fatal(err)
	}
	if err := group.Start(0); err == nil {
		t.Error("a running member was started twice")
	}
	killed := group.Member(0).PID()
	if err := group.Kill(0); err != nil {
		t.Fatal(err)
	}
	if err := group.Err(); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("end of a killed member: %v", err)
	}
	if err := group.Start(0); err != nil {
		t.Fatal(err)
	}
	pids := []int{killed, group.Member(0).PID(), group.Member(1).PID(), group.Member(2).PID()}
	if err := group.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
			t.Errorf("process %d is still there: %v", pid, err)
		}
	}
}

// orphanLog names the log of the child that the re-executed test binary starts.
const orphanLog = "CANDOR_BENCH_ORPHAN_LOG"

func TestMain(m *testing.M) {
	if log := os.Getenv(orphanLog); log != "" {
		startOrphan(log)
	}
	goleak.VerifyTestMain(m)
}

// startOrphan starts a child, says its process ID, and waits to be killed.
func startOrphan(log string) {
	child, err := process.NewSpawner().Start(process.Command{Path: "/bin/sleep", Args: []string{"60"}, Log: log})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(child.PID())
	<-child.Ended()
	os.Exit(1)
}

func TestNoMemberOutlivesAKilledBenchmark(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), orphanLog+"="+filepath.Join(t.TempDir(), "log"))
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(output, &pid); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	parent.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for !gone(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d lives on after its parent was killed", pid)
		}
		runtime.Gosched()
	}
}

// gone is true of a process that does not exist or waits to be reaped.
func gone(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(data), ") Z ")
}

func TestUsageOfAProcessIsRead(t *testing.T) {
	spawner := process.NewSpawner()
	defer spawner.Close()
	command := process.Command{
		Path: "/bin/sh", Args: []string{"-c", "while :; do :; done"}, Log: filepath.Join(t.TempDir(), "log"),
	}
	child, err := spawner.Start(command)
	if err != nil {
		t.Fatal(err)
	}
	defer child.Kill()
	deadline := time.Now().Add(10 * time.Second)
	for {
		spent, err := child.CPU()
		if err != nil {
			t.Fatal(err)
		}
		if spent > 50*time.Millisecond {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a spinning process used %v of CPU in 10 s", spent)
		}
	}
	memory, err := child.Memory()
	if err != nil {
		t.Fatal(err)
	}
	if memory.Resident < memory.Anonymous || memory.Anonymous <= 0 {
		t.Errorf("memory: %+v", memory)
	}
	_, before, err := process.SelfCPU()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Kill(); err != nil {
		t.Fatal(err)
	}
	_, after, err := process.SelfCPU()
	if err != nil {
		t.Fatal(err)
	}
	if after-before < 40*time.Millisecond {
		t.Errorf("a killed child's CPU time is not among the reaped: %v", after-before)
	}
	if _, err := child.Memory(); err == nil {
		t.Error("an ended process has memory")
	}
}

func TestAnFsyncDelayLengthensEveryFsyncOfTheMember(t *testing.T) {
	spawner := process.NewSpawner()
	defer spawner.Close()
	dir := t.TempDir()
	command := process.Command{
		Path: "/bin/dd",
		Args: []string{"if=/dev/zero", "of=" + filepath.Join(dir, "data"), "bs=512", "count=1", "conv=fsync"},
		Log:  filepath.Join(dir, "log"), FsyncDelay: 300 * time.Millisecond,
	}
	if _, err := os.Stat("/usr/bin/strace"); err != nil {
		if _, err := spawner.Start(command); err == nil || !strings.Contains(err.Error(), "strace") {
			t.Fatalf("without strace: %v, wanted a refusal that names it", err)
		}
		return
	}
	begun := time.Now()
	child, err := spawner.Start(command)
	if err != nil {
		t.Fatal(err)
	}
	<-child.Ended()
	if took := time.Since(begun); took < 300*time.Millisecond {
		data, _ := os.ReadFile(command.Log)
		t.Errorf("one delayed fsync took %v, log %q", took, data)
	}
}

func TestMachineShareIsBetweenNothingAndAll(t *testing.T) {
	first, err := process.ReadMachine()
	if err != nil {
		t.Fatal(err)
	}
	spin := time.Now().Add(200 * time.Millisecond)
	for time.Now().Before(spin) {
	}
	second, err := process.ReadMachine()
	if err != nil {
		t.Fatal(err)
	}
	busy, share := second.BusySince(first)
	if busy < 150*time.Millisecond || share <= 0 || share > 1.01 {
		t.Errorf("spinning 200 ms on one of %d cores: busy %v, share %v", second.Cores, busy, share)
	}
}

func TestAddressesAreOnTheLoopbackAndNeverGivenTwice(t *testing.T) {
	spawner := process.NewSpawner()
	defer spawner.Close()
	seen := map[string]bool{}
	for range 3 {
		addresses, err := spawner.Addresses(6)
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range addresses {
			if !strings.HasPrefix(address, "127.0.0.1:") || seen[address] {
				t.Errorf("address %s is not on the loopback or was given before", address)
			}
			seen[address] = true
		}
	}
	if len(seen) != 18 {
		t.Errorf("%d addresses, wanted 18", len(seen))
	}
}
