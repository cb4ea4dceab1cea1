package manifest

import (
	"maps"
	"slices"
	"strings"
)

// suggestion names the known field that was probably meant, or all of them.
func suggestion(name string, known map[string]form) string {
	names := slices.Sorted(maps.Keys(known))
	if meant := Meant(name, names); meant != "" {
		return "; did you mean " + meant + "?"
	}
	return "; want one of " + strings.Join(names, ", ")
}

// Meant is the name of these that was probably meant; empty where none is near.
func Meant(name string, names []string) string {
	best, nearest := "", 3
	for _, candidate := range names {
		if d := distance(strings.ToLower(candidate), strings.ToLower(name)); d < nearest {
			best, nearest = candidate, d
		}
	}
	return best
}

// distance is Levenshtein's; a hostile name is far from everything.
func distance(a, b string) int {
	if len(b) > 2*len(a) {
		return len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
