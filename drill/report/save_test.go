package report_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/drill/report"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func part(name, text string) report.Part {
	return report.Part{Name: name, What: "a part", Write: func(w io.Writer) error { _, err := io.WriteString(w, text); return err }}
}

func TestADirectoryHoldsTheWholeAccount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "drills", "leader-kill")
	for range 2 {
		saved, err := report.Save(dir, passed(), part("history.jsonl", "{}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"doctor.json", "history.jsonl", "report.html", "report.json", "seed"}, names(t, dir)); diff != "" {
			t.Fatal(diff)
		}
		var told []string
		for _, f := range saved.Files {
			told = append(told, f.Name)
		}
		if !slices.Contains(told, "n1.log") || !slices.Contains(told, "history.jsonl") || !slices.Contains(told, "report.html") {
			t.Errorf("files: %v", told)
		}
		data, err := os.ReadFile(filepath.Join(dir, "report.json"))
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := report.WriteJSON(&want, saved); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), string(data)); diff != "" {
			t.Errorf("what is saved is not what is returned: %s", diff)
		}
	}
	seed, err := os.ReadFile(filepath.Join(dir, "seed"))
	if err != nil || string(seed) != "42\n" {
		t.Errorf("seed %q, %v", seed, err)
	}
}

// TestAnAccountThatFailsIsNotThere: report.json comes last, and nothing half written
// stays.
func TestAnAccountThatFailsIsNotThere(t *testing.T) {
	full := errors.New("no space left on device")
	for _, bad := range []report.Part{
		{Name: "history.jsonl", Write: func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return full }},
		part("../up", "x"), part("a/b", "x"), part("", "x"), part("..", "x"),
	} {
		dir := t.TempDir()
		if _, err := report.Save(dir, passed(), bad); err == nil {
			t.Errorf("%q was saved", bad.Name)
		}
		if left := names(t, dir); len(left) != 0 {
			t.Errorf("%q left %v", bad.Name, left)
		}
	}
}
