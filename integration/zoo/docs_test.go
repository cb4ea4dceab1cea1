//go:build zoo

package zoo_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/candor-plane/candor/internal/zoo"
)

const page = "../../docs/zoo.md"

// TestThePageSaysWhatFindsEach: docs/zoo.md has a row for every mistake, with its harm,
// its place, and a check that is there for it.
func TestThePageSaysWhatFindsEach(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.SplitSeq(string(text), "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 9 {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows[strings.Trim(cells[1], "`")] = cells[2:8]
		}
	}
	for i := range hunts {
		h := &hunts[i]
		row := rows[string(h.name)]
		if row == nil {
			t.Errorf("%s has no row of %s", h.name, page)
			continue
		}
		for _, b := range zoo.Bugs() {
			if b.Name == h.name && (row[0] != b.Mistake || row[1] != b.Harm || row[2] != "`"+b.Where+"`") {
				t.Errorf("%s: the row says %q, want %q, %q, `%s`", h.name, row[:3], b.Mistake, b.Harm, b.Where)
			}
		}
		if !strings.Contains("|"+h.by+"|", "|"+row[4]+"|") {
			t.Errorf("%s: the row says that %q finds it, which is not there for it", h.name, row[4])
		}
	}
}

// TestABuildWithTheTagHasThem, which is what the product's not having them is measured by.
func TestABuildWithTheTagHasThem(t *testing.T) {
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range zoo.Bugs() {
		if !bytes.Contains(self, []byte(b.Name)) {
			t.Errorf("%s is not in it", b.Name)
		}
	}
}
