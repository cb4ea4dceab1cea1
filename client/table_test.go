package client

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables to testdata")

// value is one that an attribute of C can have, and how to make it so.
type value[C any] struct {
	name string
	set  func(c *C)
}

// attribute is one thing that a verdict may depend on. family, where it is set,
// is a name for many values, all of one kind, that are alike.
type attribute[C any] struct {
	name   string
	values []value[C]
	family func(value string) string
}

// row is what some cells have in common: a name per attribute, – for any.
type row struct {
	names  []string
	result string
}

// rows judges every cell below c and joins values that make no difference.
func rows[C any](c C, rest []attribute[C], judge func(C) string, count *int) []row {
	if len(rest) == 0 {
		*count++
		return []row{{result: judge(c)}}
	}
	var names [][]string
	var below [][]row
	for _, v := range rest[0].values {
		d := c
		v.set(&d)
		found := rows(d, rest[1:], judge, count)
		at := slices.IndexFunc(below, func(r []row) bool { return reflect.DeepEqual(r, found) })
		if at < 0 {
			at, below, names = len(below), append(below, found), append(names, nil)
		}
		names[at] = append(names[at], v.name)
	}
	var out []row
	for i, group := range names {
		name := "–"
		if len(names) > 1 {
			name = strings.Join(rest[0].families(group), ", ")
		}
		if i > 0 && i == len(names)-1 && len(group) > 1 && rest[0].family == nil {
			name = "any other"
		}
		for _, r := range below[i] {
			out = append(out, row{append([]string{name}, r.names...), r.result})
		}
	}
	return out
}

// families replaces all the values of one kind by its name.
func (a *attribute[C]) families(group []string) []string {
	if a.family == nil {
		return group
	}
	size := map[string]int{}
	for _, v := range a.values {
		size[a.family(v.name)]++
	}
	in := map[string]int{}
	for _, name := range group {
		in[a.family(name)]++
	}
	var out []string
	for _, name := range group {
		if f := a.family(name); size[f] > 1 && in[f] == size[f] {
			name = "any " + f
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// table prints rows as Markdown, without the columns that never matter. A cell
// like all to its left in the row above is left empty.
func table[C any](attributes []attribute[C], rows []row, verdict string) string {
	var used []int
	for i := range attributes {
		if slices.ContainsFunc(rows, func(r row) bool { return r.names[i] != "–" }) {
			used = append(used, i)
		}
	}
	var b strings.Builder
	b.WriteString("|")
	for _, i := range used {
		fmt.Fprintf(&b, " %s |", attributes[i].name)
	}
	b.WriteString(" " + verdict + " |\n|" + strings.Repeat("---|", len(used)+1) + "\n")
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

// golden holds the text against the file, and against the page that shows it.
func golden(t *testing.T, path, page, got string) {
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
		t.Errorf("%s does not say what the code does; look at the difference, then run go test ./client -update\n%s", path, got)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), got) {
		t.Errorf("%s does not include %s as it is", page, path)
	}
}
