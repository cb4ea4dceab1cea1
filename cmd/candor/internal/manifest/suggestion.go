package manifest

import (
	"maps"
	"slices"
	"strings"
)

// suggestion names the known field that was probably meant, or all of them.
func suggestion(name string, known map[string]form) string {
	best, nearest := "", 3
	for _, candidate := range slices.Sorted(maps.Keys(known)) {
		if d := distance(strings.ToLower(candidate), strings.ToLower(name)); d < nearest {
			best, nearest = candidate, d
		}
	}
	if best != "" {
		return "; did you mean " + best + "?"
	}
	return "; want one of " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
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
