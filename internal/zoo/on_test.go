//go:build zoo

package zoo

import (
	"os"
	"os/exec"
	"testing"
)

// TestMain says what lives in the child of a test, where that asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("ZOO_CHILD") != "" {
		if Has(SkipFence) {
			os.Exit(7)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestOneMistakeLivesAtATime, and none that nobody released.
func TestOneMistakeLivesAtATime(t *testing.T) {
	for _, b := range Bugs() {
		if Has(b.Name) {
			t.Errorf("%s lives", b.Name)
		}
	}
	cage := Release(MapOrder)
	if !Has(MapOrder) || Has(SkipFence) {
		t.Error("another lives than was released")
	}
	for _, name := range []Name{SkipFence, "unicorn"} {
		if !panics(func() { Release(name) }) {
			t.Errorf("%s was released too", name)
		}
	}
	cage()
	cage()
	if Has(MapOrder) {
		t.Error("it lives on")
	}
}

func panics(do func()) (did bool) {
	defer func() { did = recover() != nil }()
	do()
	return false
}

// TestTheEnvironmentReleasesOne in a process, and refuses what is none.
func TestTheEnvironmentReleasesOne(t *testing.T) {
	for name, want := range map[string]int{"": 0, string(SkipFence): 7, string(MapOrder): 0, "unicorn": 2} {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "ZOO_CHILD=1", releasedBy+"="+name)
		_ = child.Run() // its status says what came of it
		if got := child.ProcessState.ExitCode(); got != want {
			t.Errorf("%q ends with %d, want %d", name, got, want)
		}
	}
}
