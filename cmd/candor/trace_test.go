package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestACommandAndTheServersItReachesMakeOneTrace: in one file, that
// CANDOR_TRACE_FILE names for all of them.
func TestACommandAndTheServersItReachesMakeOneTrace(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real servers; run without -short")
	}
	file := filepath.Join(t.TempDir(), "trace.jsonl")
	t.Setenv("CANDOR_TRACE_FILE", file)
	folder := startDev(t)
	apply := exec.Command("candor", "apply", "-f", filepath.Join("..", "..", "examples"))
	apply.Env = append(os.Environ(), "CANDOR_CONTEXT="+filepath.Join(folder, "context.yaml"))
	if text, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	// Servers deliver what they recorded now and then.
	deadline := time.Now().Add(30 * time.Second)
	for {
		command, turns := spansOfApply(t, file)
		if command == 1 && turns > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d spans of the command, and %d turns of servers in its trace", command, turns)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// spansOfApply counts the spans of `candor apply`, and those of turns that
// servers took in the same trace.
func spansOfApply(t *testing.T, file string) (command, turns int) {
	t.Helper()
	type span struct {
		TraceID string `json:"traceId"`
		Name    string `json:"name"`
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var spans []span
	var trace string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var message struct {
			ResourceSpans []struct {
				ScopeSpans []struct {
					Spans []span `json:"spans"`
				} `json:"scopeSpans"`
			} `json:"resourceSpans"`
		}
		if err := json.Unmarshal(lines.Bytes(), &message); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		s := message.ResourceSpans[0].ScopeSpans[0].Spans[0]
		spans = append(spans, s)
		if s.Name == "candor apply" {
			trace = s.TraceID
			command++
		}
	}
	for _, s := range spans {
		if s.TraceID == trace && s.Name == "apply" {
			turns++
		}
	}
	return command, turns
}
