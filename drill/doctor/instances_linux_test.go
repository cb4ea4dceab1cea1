package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// aShim begins a process whose command line is that of a shim below a directory, and that
// carries no mark. It says whether it is gone.
func aShim(t *testing.T, dir string, environment ...string) (gone func() bool) {
	t.Helper()
	shim := exec.Command(os.Args[0], shimArgument, filepath.Join(dir, "workers", "w1", "instances", "uid"))
	shim.Env = append(append(os.Environ(), roleVariable+"=server"), environment...)
	in, err := shim.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shim.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = shim.Wait()
	}()
	t.Cleanup(func() {
		_ = in.Close()
		<-ended
	})
	return func() bool {
		select {
		case <-ended:
			return true
		case <-time.After(50 * time.Millisecond):
			return false
		}
	}
}

// TestCleanEndsShimsOfAKilledDrill: they carry no mark, and are known by the folder that they
// are for; those of a drill that lives, and of no drill, go on.
func TestCleanEndsShimsOfAKilledDrill(t *testing.T) {
	parent := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	dead, alive := newDrill(t, parent), newDrill(t, parent)
	ofDead, ofLiving, ofNone := aShim(t, dead.path), aShim(t, alive.path), aShim(t, filepath.Join(parent, directoryPrefix+"none"))
	dead.kill()
	if ofDead() {
		t.Fatal("the shim is gone: there is nothing to clean")
	}
	if _, err := Clean(t.Context(), parent); err != nil {
		t.Fatal(err)
	}
	if !ofDead() || ofLiving() || ofNone() {
		t.Errorf("cleaned, and the shim of the dead drill is gone %t, of the living one %t, of none %t", ofDead(), ofLiving(), ofNone())
	}
}

// TestTheInstancesOfADrillEnd: shims below its directory, and commands with its mark whose
// shim is gone; the servers of the drill, and other drills' instances, do not.
func TestTheInstancesOfADrillEnd(t *testing.T) {
	parent := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	mine, other := newDrill(t, parent), newDrill(t, parent)
	mark, err := markOf(mine.path)
	if err != nil || mark == nil {
		t.Fatal(mark, err)
	}
	shim, others := aShim(t, mine.path), aShim(t, other.path)
	command := aShim(t, "", mark.Environment(), instanceVariable+"u")
	server := aShim(t, "", mark.Environment())
	if err := EndInstances(t.Context(), mine.path); err != nil {
		t.Fatal(err)
	}
	if !shim() || !command() || others() || server() {
		t.Errorf("gone: the shim %t, a command %t; another drill's shim %t, what runs no instance %t", shim(), command(), others(), server())
	}
	if _, process := mine.left(t); !process {
		t.Error("the drill's server is gone")
	}
	if err := EndInstances(t.Context(), t.TempDir()); err == nil {
		t.Error("what is no drill's was cleared")
	}
}
