package dev

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/worker/shim"
)

func TestAFolderIsOneCommandsAlone(t *testing.T) {
	dir := t.TempDir()
	lock, err := hold(dir)
	if err != nil {
		t.Fatal(err)
	}
	if lock == nil {
		t.Skip("this system has no such locks")
	}
	if _, err := hold(dir); candor.ReasonOf(err) != candor.ReasonDataLocked {
		t.Errorf("a second one: %v, want DATA_LOCKED", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := hold(dir)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}

// temporaries puts a folder as a killed command leaves it where the next one looks.
func temporaries(t *testing.T) (abandoned string) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	abandoned, err := Temporary(t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := hold(abandoned)
	if err != nil {
		t.Fatal(err)
	}
	if lock == nil {
		t.Skip("this system has no such locks")
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	return abandoned
}

func TestATemporaryFolderOfAKilledCommandIsRemoved(t *testing.T) {
	abandoned := temporaries(t)
	own, err := Temporary(t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(abandoned); err == nil {
		t.Errorf("%s is still there", abandoned)
	}
	// It has no lock yet: a command is just making it.
	if _, err := Temporary(t.Logf); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(own); err != nil {
		t.Errorf("a folder that is just being made was removed: %v", err)
	}
}

func TestATemporaryFolderThatIsInUseOrOthersMayWriteToStays(t *testing.T) {
	used := temporaries(t)
	lock, err := hold(used)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	open := filepath.Join(os.TempDir(), "candor-dev-open")
	other, err := hold(open)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Release(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Temporary(t.Logf); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{used, open} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s was removed: %v", dir, err)
		}
	}
}

func TestInstancesWhoseEndIsRecordedAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	instance := shim.Dir(filepath.Join(dir, "w1", "instances", "a-uid"))
	if err := instance.Give(&shim.Order{UID: "a-uid", Name: "web-0", Run: 1}); err != nil {
		t.Fatal(err)
	}
	if n, err := endInstances(dir); n != 0 || err != nil && candor.ReasonOf(err) != candor.ReasonUnimplemented {
		t.Errorf("%d ended, %v", n, err)
	}
}

func TestAWorkerFindsWhatLiesBesideTheProgramAndKnowsNoOtherCluster(t *testing.T) {
	t.Setenv("CANDOR_CONTEXT", "elsewhere")
	t.Setenv("PATH", "/bin")
	c := &Cluster{options: Options{Dir: "/data", Program: "/opt/candor/candor"}, layout: Layout{Workers: 2}}
	p := c.worker(1)
	if p.name != "w2" || !slices.Contains(p.env, "PATH=/opt/candor:/bin") || !slices.Contains(p.env, "TMPDIR=/data/w2/tmp") {
		t.Errorf("%s runs in %q", p.name, p.env)
	}
	if slices.Contains(p.env, "CANDOR_CONTEXT=elsewhere") {
		t.Error("a worker knows the terminal's context")
	}
}
