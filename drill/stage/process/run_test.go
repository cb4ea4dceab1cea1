package process

import (
	"context"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

func TestWhyAProcessEndedIsWhatItToldLast(t *testing.T) {
	for said, want := range map[string]candor.Reason{
		"2026 [INFO] x\nerror: DATA_CORRUPT (exit 8)\nasked: candor server\nfound: raft/wal/1.wal\n": candor.ReasonDataCorrupt,
		"error: UNAVAILABLE (exit 5)\n":              candor.ReasonUnavailable,
		"no snapshot taken: error: DATA_CORRUPT (x)": "",
		"error: nonsense\n":                          "",
		"":                                           "",
	} {
		if reason, _ := Told(said); reason != want {
			t.Errorf("%q tells %q, want %q", said, reason, want)
		}
	}
	if _, why := Told("error: DATA_CORRUPT (exit 8)\nasked: candor server\nfound: raft/wal/1.wal\ntry:   candor status\n"); why != "raft/wal/1.wal" {
		t.Errorf("it found %q", why)
	}
}

func TestARunIsSignalledAwaitedAndRead(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	log := filepath.Join(t.TempDir(), "log")
	first, err := Begin(exec.Command("sh", "-c", "echo before; exit 3"), log)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := first.Wait(ctx); code != 3 || err != nil || first.Wanted() {
		t.Errorf("ended with %d, %v; wanted %t", code, err, first.Wanted())
	}
	r, err := Begin(exec.Command("sh", "-c", "echo begun; while :; do sleep 0.05; done"), log)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Kill()
	if err := r.Says(ctx, "begun"); err != nil {
		t.Fatal(err)
	}
	if said, err := r.Said(); said != "begun\n" || err != nil {
		t.Errorf("it said %q, %v", said, err)
	}
	if err := r.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for !r.Stopped() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if code, err := r.Stop(ctx); err != nil || code != -1 || !r.Wanted() || !r.Gone() {
		t.Errorf("stopped with %d, %v", code, err)
	}
	if err := r.Signal(syscall.SIGCONT); candor.ReasonOf(err) != candor.ReasonNotFound {
		t.Errorf("a signal to who is gone: %v, want NOT_FOUND", err)
	}
}
