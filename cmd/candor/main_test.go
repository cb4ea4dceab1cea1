package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test's own binary stand for candor: scripts, and the
// servers that `candor dev` starts, run it under that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"candor": main})
}

// TestOfflineScripts runs what needs no cluster: help, usage, contexts, exits.
func TestOfflineScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "offline"), RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// TestClusterScripts runs scripts against one cluster of three real servers,
// each script in a namespace named for it.
func TestClusterScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real servers; run without -short")
	}
	cluster := startDev(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"), RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			env.Setenv("CANDOR_CONTEXT", filepath.Join(cluster, "context.yaml"))
			return nil
		},
	})
}

// TestFaultScripts runs scripts that stop servers or lock them, each on a cluster
// of its own.
func TestFaultScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real servers and kills them; run without -short")
	}
	scripts, err := filepath.Glob(filepath.Join("testdata", "fault", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		t.Run(filepath.Base(script), func(t *testing.T) {
			cluster := startDev(t)
			testscript.Run(t, testscript.Params{
				Files: []string{script}, RequireExplicitExec: true, RequireUniqueNames: true,
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "settles": settles},
				Setup: func(env *testscript.Env) error {
					env.Setenv("CANDOR_CONTEXT", filepath.Join(cluster, "context.yaml"))
					env.Setenv("CANDOR_DEV_DATA", cluster)
					return nil
				},
			})
		})
	}
}

// exits runs "exits CODE COMMAND ARGUMENT..." and fails unless the command
// ends with that code. stdout and stderr look at its output afterwards.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want := wantedExit(ts, neg, args)
	if got := exitOf(ts, args[1:]); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// settles runs "settles CODE COMMAND ARGUMENT..." again and again until the command
// ends with that code: for what every server has to hear of first.
func settles(ts *testscript.TestScript, neg bool, args []string) {
	want := wantedExit(ts, neg, args)
	deadline := time.Now().Add(time.Minute)
	for {
		got := exitOf(ts, args[1:])
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("exit code %d for a minute, want %d", got, want)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func wantedExit(ts *testscript.TestScript, neg bool, args []string) int {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits|settles CODE COMMAND ARGUMENT...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	return want
}

func exitOf(ts *testscript.TestScript, command []string) int {
	err := ts.Exec(command[0], command[1:]...)
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	return exit.ExitCode()
}

// startDev starts `candor dev` and returns its folder once every server is up to
// date. It ends with the test, and so does every server.
func startDev(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	var log bytes.Buffer
	dev := exec.Command("candor", "dev", "--data", folder, "--nodes", "3")
	dev.Stdout, dev.Stderr = &log, &log
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- dev.Wait() }()
	t.Cleanup(func() {
		if err := dev.Process.Signal(syscall.SIGINT); err != nil {
			t.Errorf("end candor dev: %v", err)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("candor dev ended with %v; it wrote:\n%s", err, log.String())
			}
		case <-time.After(time.Minute):
			_ = dev.Process.Kill()
			t.Errorf("candor dev did not end within a minute of SIGINT")
		}
	})
	if err := ready(t.Context(), folder, ended); err != nil {
		t.Fatalf("%v; candor dev wrote:\n%s", err, log.String())
	}
	return folder
}

// ready polls until every server has said its name, and then that it has caught up.
func ready(ctx context.Context, folder string, ended chan error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ask := func(arguments ...string) ([]string, error) {
		probe := exec.CommandContext(ctx, "candor", append(arguments, "--timeout", "5s", "-q")...)
		probe.Env = append(os.Environ(), "CANDOR_CONTEXT="+filepath.Join(folder, "context.yaml"))
		text, err := probe.CombinedOutput()
		return strings.Fields(string(text)), err
	}
	for {
		text, err := ask("cluster", "members", "-o", "jsonpath={.members[*].name}")
		slices.Sort(text)
		if err == nil && slices.Equal(text, []string{"n1", "n2", "n3"}) {
			text, err = ask("diagnostics", "--all", "-o", "jsonpath={.items[*].report.freshness.catchUpState}")
			if err == nil && slices.Equal(text, slices.Repeat([]string{"FRESH"}, 3)) {
				return nil
			}
		}
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("candor dev ended early: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("the servers have not caught up within a minute; they said: %s", text)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
