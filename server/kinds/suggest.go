package kinds

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// suggest is `; did you mean "name"?` for the name closest to what was
// written, and empty if none is close.
func suggest(written string, names []string) string {
	near := closest(written, names, 1)
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strconv.Quote(near[0]) + "?"
}

// closest are the names that a person may have meant, best first.
func closest(written string, names []string, most int) []string {
	if written == "" || len(written) > maxShown {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	allowed := min(3, len(written)/3)
	for _, name := range names {
		if len(name) > len(written)+allowed || len(written) > len(name)+allowed {
			continue
		}
		distance := editDistance(strings.ToLower(written), strings.ToLower(name))
		if distance <= allowed && distance < max(len(written), len(name)) {
			found = append(found, candidate{name, distance})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	var near []string
	for _, c := range found[:min(most, len(found))] {
		near = append(near, c.name)
	}
	return near
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
