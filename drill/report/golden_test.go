package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/report"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func handMade() map[string]*report.Report {
	return map[string]*report.Report{"pass": passed(), "violation": violated(), "inconclusive": inconclusive()}
}

// TestAnAccountReadsAsItAlwaysDid: as data and on a terminal, byte for byte.
func TestAnAccountReadsAsItAlwaysDid(t *testing.T) {
	for name, r := range handMade() {
		var data, text bytes.Buffer
		if err := report.WriteJSON(&data, r); err != nil {
			t.Fatal(err)
		}
		if err := report.WriteText(&text, r); err != nil {
			t.Fatal(err)
		}
		for file, got := range map[string][]byte{name + ".json": data.Bytes(), name + ".txt": text.Bytes()} {
			path := filepath.Join("testdata", file)
			if *rewrite {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got; -rewrite takes what is got):\n%s", file, diff)
			}
		}
	}
}

func TestDataIsTakenBackAsItWasGiven(t *testing.T) {
	for name, r := range handMade() {
		var first, second bytes.Buffer
		if err := report.WriteJSON(&first, r); err != nil {
			t.Fatal(err)
		}
		back, err := report.Read(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := report.WriteJSON(&second, back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.String(), second.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		var page, again bytes.Buffer
		if err := report.WriteHTML(&page, r); err != nil {
			t.Fatal(err)
		}
		if err := report.WriteHTML(&again, back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(page.String(), again.String()); name != "inconclusive" && diff != "" {
			t.Errorf("%s: drawn again it differs: %s", name, diff)
		}
	}
}

func TestOtherFormatsAreRefused(t *testing.T) {
	for _, text := range []string{"", "{", `{"format":"candor-drill/2"}`, `{}`, `[]`} {
		if _, err := report.Read(strings.NewReader(text)); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestATerminalIsSafeAndWideEnough: nothing acts on it, and only the command, which is
// made to be copied, is wider than 80 columns.
func TestATerminalIsSafeAndWideEnough(t *testing.T) {
	all := handMade()
	all["big"] = big()
	all["nothing"] = &report.Report{}
	all["words"] = &report.Report{Why: []string{strings.Repeat("x", 500)}, Command: "candor " + strings.Repeat("--flag=value ", 20)}
	for name, r := range all {
		var text bytes.Buffer
		if err := report.WriteText(&text, r); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			line = strings.TrimSuffix(line, "\n")
			if lipgloss.Width(line) > 80 {
				t.Errorf("%s: %d columns: %s", name, lipgloss.Width(line), line)
			}
			if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
				t.Errorf("%s: control characters: %q", name, line)
			}
		}
	}
}

func TestACommandIsBrokenOnlyWhereAShellAllowsIt(t *testing.T) {
	for command, want := range map[string]string{
		"candor " + strings.Repeat("--flag=value ", 8) + "end": "  candor --flag=value --flag=value --flag=value --flag=value --flag=value \\\n    --flag=value --flag=value --flag=value end\n",
		"candor '" + strings.Repeat("a b ", 30) + "'":          "  candor '" + strings.Repeat("a b ", 30) + "'\n",
	} {
		var text bytes.Buffer
		if err := report.WriteText(&text, &report.Report{Command: command}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), "Again:\n"+want) {
			t.Errorf("%s:\n%s", command, text.String())
		}
	}
}
