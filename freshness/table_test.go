package freshness

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables to testdata")

// value is one that an attribute of C can have, and how to make it so.
type value[C any] struct {
	name string
	set  func(c *C)
}

type attribute[C any] struct {
	name   string
	values []value[C]
}

// row is what some cells have in common: a name per attribute, – for any.
type row struct {
	names  []string
	result string
}

// rows judges every cell below the given one and joins values that make no
// difference.
func rows[C any](c C, rest []attribute[C], judge func(C) string, count *int) []row {
	if len(rest) == 0 {
		*count++
		return []row{{result: judge(c)}}
	}
	type group struct {
		names []string
		rows  []row
	}
	var groups []*group
	for _, v := range rest[0].values {
		d := c
		v.set(&d)
		below := rows(d, rest[1:], judge, count)
		found := false
		for _, g := range groups {
			if reflect.DeepEqual(g.rows, below) {
				g.names, found = append(g.names, v.name), true
				break
			}
		}
		if !found {
			groups = append(groups, &group{[]string{v.name}, below})
		}
	}
	var out []row
	for i, g := range groups {
		name := strings.Join(g.names, ", ")
		switch {
		case len(groups) == 1:
			name = "–"
		case i > 0 && i == len(groups)-1 && len(g.names) > 1:
			name = "any other"
		}
		for _, r := range g.rows {
			out = append(out, row{append([]string{name}, r.names...), r.result})
		}
	}
	return out
}

// table prints rows as Markdown, without the columns that never matter. A cell
// like all to its left in the row above is left empty.
func table[C any](attributes []attribute[C], rows []row) string {
	var used []int
	for i := range attributes {
		for _, r := range rows {
			if r.names[i] != "–" {
				used = append(used, i)
				break
			}
		}
	}
	var b strings.Builder
	b.WriteString("|")
	for _, i := range used {
		fmt.Fprintf(&b, " %s |", attributes[i].name)
	}
	b.WriteString(" verdict |\n|" + strings.Repeat("---|", len(used)+1) + "\n")
	for n, r := range rows {
		b.WriteString("|")
		same := n > 0
		for _, i := range used {
			same = same && rows[n-1].names[i] == r.names[i]
			if same && r.names[i] != "–" {
				b.WriteString(" |")
				continue
			}
			fmt.Fprintf(&b, " %s |", r.names[i])
		}
		fmt.Fprintf(&b, " %s |\n", r.result)
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s does not say what the code does; look at the difference, then run go test ./freshness -update\n%s", path, got)
	}
}

func included(t *testing.T, text string) {
	t.Helper()
	page, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), text) {
		t.Error("docs/protocol.md does not include the table of testdata as it is")
	}
}
