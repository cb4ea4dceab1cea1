package layering

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
)

// A Finding is one broken promise.
type Finding struct {
	File  string // slash-separated path from the repository root
	Line  int    // 0 when the whole file or folder is meant
	Wrong string // what was seen
	Do    string // what mends it
}

func (f Finding) String() string {
	at := f.File
	if f.Line > 0 {
		at = fmt.Sprintf("%s:%d", f.File, f.Line)
	}

	return fmt.Sprintf("%s: %s\n\t-> %s", at, f.Wrong, f.Do)
}

// A Rule finds every place in a tree that breaks one promise.
type Rule struct {
	Name  string
	Check func(*Tree) []Finding
}

// Rules are the promises that need no type information. [Determinism] is the
// one that does.
func Rules() []Rule {
	return []Rule{
		{"imports go one way", Imports},
		{"a file is short", Lengths},
		{"a package has a name of its own", Names},
		{"a package says what it is", Comments},
		{"a goroutine is watched for leaks", Goroutines},
		{"a turn has no outside", Purity},
	}
}

func (f *File) finding(pos token.Pos, wrong, do string) Finding {
	return Finding{File: f.Path, Line: f.line(pos), Wrong: wrong, Do: do}
}

func sorted(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Wrong, b.Wrong))
	})

	return slices.Compact(findings)
}
