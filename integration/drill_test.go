package integration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/verify/history"
)

// drilling is `candor drill run` with a folder for temporary files of its own, in which
// nothing may be left.
type drilling struct {
	command   *exec.Cmd
	said      string // the file of what it wrote
	told      *report.Report
	temporary string
	out       string
}

func drills(ctx context.Context, t *testing.T, args ...string) *drilling {
	t.Helper()
	d := &drilling{temporary: t.TempDir(), out: filepath.Join(t.TempDir(), "account")}
	d.command = exec.CommandContext(ctx, binary, append([]string{"drill", "run", "--out", d.out}, args...)...)
	d.command.Env = append(os.Environ(), "TMPDIR="+d.temporary)
	d.said = filepath.Join(t.TempDir(), "said")
	said, err := os.Create(d.said)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close() // the command has its own
	d.command.Stdout, d.command.Stderr = said, said
	d.command.SysProcAttr = lifeline()
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *drilling) text() string {
	text, err := os.ReadFile(d.said)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// ends waits for the end, wants nothing left of it, and returns the exit code.
func (d *drilling) ends(t *testing.T) int {
	t.Helper()
	err := d.command.Wait()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(d.temporary); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	running, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range running {
		if line, err := os.ReadFile(path); err == nil && bytes.Contains(line, []byte(d.temporary)) {
			t.Errorf("it left process %s: %q", path, line)
		}
	}
	file, err := os.Open(filepath.Join(d.out, "report.json"))
	if err != nil {
		t.Fatalf("there is no account: %v\n%s", err, d.text())
	}
	defer file.Close()
	if d.told, err = report.Read(file); err != nil {
		t.Fatal(err)
	}
	return d.command.ProcessState.ExitCode()
}

// TestADrillEndsWithAnAccount of what it did, which the other commands read, and its
// recording judged again comes to the same.
func TestADrillEndsWithAnAccount(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	d := drills(ctx, t, "leader-kill", "--seed", "7")
	code := d.ends(t)
	if d.told.Verdict == history.Inconclusive && strings.Contains(strings.Join(d.told.Why, " "), "too busy") {
		t.Skipf("SKIPPED, the machine was too busy for a drill: %v", d.told.Why)
	}
	if code != candor.ExitDone || d.told.Verdict != history.Pass || len(d.told.Faults) != 2 {
		t.Errorf("exit code %d: %s\n%s", code, d.told.Verdict, d.text())
	}
	for _, name := range []string{"report.html", "history.jsonl", "seed", "doctor.json", "logs/n1.log"} {
		if info, err := os.Stat(filepath.Join(d.out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, args := range [][]string{{"drill", "report", d.out}, {"verify", "history", filepath.Join(d.out, "history.jsonl")}} {
		if out, err := exec.CommandContext(ctx, binary, args...).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// TestAnInterruptedDrillHealsAndSaysSo: a partition lasts when it is interrupted.
func TestAnInterruptedDrillHealsAndSaysSo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d := drills(ctx, t, "partition-leader")
	for !strings.Contains(d.text(), "PARTITION ISOLATED") {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("no partition began:\n%s", d.text())
		}
	}
	if err := d.command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := d.ends(t); code != candor.ExitError || d.told.Verdict != history.Inconclusive || d.told.Why[0] != "it was interrupted" {
		t.Errorf("exit code %d: %s, for %v\n%s", code, d.told.Verdict, d.told.Why, d.text())
	}
}
