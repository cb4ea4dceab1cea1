package layering

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// pureRooms hold code whose outcome must be the same on every node, and a
// library here must not change what it answers with its version.
var pureRooms = []string{"fsm", "freshness", "lexum"}

// pureImports are the packages that pure code may import, besides its own room
// and what the table of rooms allows. A list of names restricts a package to
// those; none means all of it. What is absent is refused: add a row only for a
// package whose answers depend on its arguments alone.
var pureImports = map[string][]string{
	"bufio":           nil,
	"bytes":           nil,
	"cmp":             nil,
	"container/heap":  nil,
	"container/list":  nil,
	"crypto/sha256":   nil,
	"encoding/base64": nil,
	"encoding/binary": nil,
	"encoding/hex":    nil,
	"errors":          nil,
	"hash":            nil,
	"hash/crc32":      nil,
	"hash/fnv":        nil,
	"io":              nil,
	"iter":            nil,
	"math/bits":       nil,
	"slices":          nil,
	"sort":            nil,
	"strconv":         nil,
	"strings":         nil,
	"sync/atomic":     nil,
	"unicode":         nil,
	"unicode/utf8":    nil,

	"fmt":  {"Errorf", "Sprint", "Sprintf", "Sprintln", "Append", "Appendf", "Appendln", "Stringer", "Formatter", "State"},
	"maps": {"Clone", "Copy", "DeleteFunc", "Equal", "EqualFunc", "Keys", "Values"},
	"math": {"MaxInt", "MaxInt8", "MaxInt16", "MaxInt32", "MaxInt64", "MinInt", "MinInt8", "MinInt16", "MinInt32", "MinInt64", "MaxUint", "MaxUint8", "MaxUint16", "MaxUint32", "MaxUint64"},
	"sync": {"Mutex", "RWMutex", "Once", "OnceFunc", "OnceValue", "OnceValues", "Pool", "Locker"},

	"embed":         nil,            // bytes that the build fixes
	"encoding/json": {"RawMessage"}, // bytes that somebody else wrote
	"runtime/debug": {"Stack"},      // for the node's own log; it never enters the state
	"time":          {"Duration", "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour", "Time"},

	"github.com/klauspost/compress/zstd": nil, // snapshot frames; the digest is over what they hold
	"github.com/tidwall/btree":           nil, // the view
	"github.com/zeebo/xxh3":              nil, // the digest; a fixed algorithm
}

// insteadOf says what pure code does instead, for the packages that people
// reach for.
var insteadOf = map[string]string{
	"time":          "take cluster time as a value from the command, and make it a time.Time by time.Unix(…).UTC() only",
	"math/rand":     "derive what is needed from the command; randomness is drawn before the log",
	"math/rand/v2":  "derive what is needed from the command; randomness is drawn before the log",
	"crypto/rand":   "derive what is needed from the command; randomness is drawn before the log",
	"hash/maphash":  "use xxh3: a maphash seed differs from process to process",
	"os":            "take bytes, io.Reader or io.Writer from the caller; server/replica owns files",
	"net":           "return what is to be sent; package server talks to the network",
	"context":       "finish the turn: a turn that can be cancelled ends differently on two nodes",
	"log":           "return the fact as an event or an error; the caller logs",
	"encoding/json": "keep objects as bytes; they are decoded, defaulted and validated before the log",
	"regexp":        "match by hand: patterns belong before the log",
	"reflect":       "name the type",
	"unsafe":        "write it without: an address differs from process to process",
}

// Purity finds, in the code of the pure rooms, what would let two nodes apply
// the same entry to different ends, as far as one file shows it: imports,
// goroutines, select, float types. What needs types is found by [Determinism].
func Purity(tree *Tree) []Finding {
	var findings []Finding
	for _, f := range tree.Files {
		if !f.pure() {
			continue
		}

		names := f.importNames()
		utc := map[ast.Node]bool{}
		for _, spec := range f.Syntax.Imports {
			findings = append(findings, f.impureImport(spec)...)
		}

		for n := range ast.Preorder(f.Syntax) {
			if made := inUTC(n); made != nil {
				utc[made] = true
			}

			if !utc[n] {
				findings = append(findings, f.impure(n, names)...)
			}
		}
	}

	return sorted(findings)
}

func (f *File) pure() bool {
	return !f.Test && !f.Nested && slices.ContainsFunc(pureRooms, func(room string) bool {
		return within(f.Dir, room)
	})
}

func (f *File) impureImport(spec *ast.ImportSpec) []Finding {
	imported := importPath(spec)
	if imported == Module || strings.HasPrefix(imported, Module+"/") {
		return nil // the table of rooms decides
	}

	if _, allowed := pureImports[imported]; allowed && (spec.Name == nil || spec.Name.Name != ".") {
		return nil
	}

	root, _, _ := strings.Cut(imported, "/")
	do := "give it a row in pureImports (internal/layering/purity.go) if its answers depend on its arguments alone"
	for _, key := range []string{root, imported} {
		if insteadOf[key] != "" {
			do = insteadOf[key]
		}
	}

	return []Finding{f.finding(spec.Pos(), "pure code imports "+imported, do)}
}

func (f *File) impure(n ast.Node, names map[string]string) []Finding {
	if startsGoroutine(n) {
		return []Finding{f.finding(n.Pos(), "pure code starts a goroutine",
			"do the work within the turn, or return it for the caller to run")}
	}

	switch n := n.(type) {
	case *ast.SelectStmt:
		return []Finding{f.finding(n.Pos(), "pure code selects, and which case runs is chosen at random",
			"decide from the command and the state")}
	case *ast.Ident:
		if slices.Contains([]string{"float32", "float64", "complex64", "complex128"}, n.Name) {
			return []Finding{f.inexact(n.Pos())}
		}
	case *ast.SelectorExpr:
		return f.impureName(n, names)
	}

	return nil
}

// inUTC is the time.Unix of time.Unix(…).UTC(), or nil. Without the UTC its
// text and bytes would depend on the node's time zone.
func inUTC(n ast.Node) ast.Node {
	outer, ok := n.(*ast.SelectorExpr)
	if !ok || outer.Sel.Name != "UTC" {
		return nil
	}

	call, ok := outer.X.(*ast.CallExpr)
	if !ok {
		return nil
	}

	made, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || made.Sel.Name != "Unix" && made.Sel.Name != "UnixMilli" {
		return nil
	}

	return made
}

// impureName judges pkg.Name where the package is allowed name by name.
func (f *File) impureName(n *ast.SelectorExpr, names map[string]string) []Finding {
	qualifier, ok := n.X.(*ast.Ident)
	if !ok {
		return nil
	}

	imported := names[qualifier.Name]
	allowed := pureImports[imported]
	if allowed == nil || slices.Contains(allowed, n.Sel.Name) {
		return nil
	}

	do := insteadOf[imported]
	if do == "" {
		do = "use one of " + strings.Join(allowed, ", ")
	}

	return []Finding{f.finding(n.Pos(), fmt.Sprintf("pure code uses %s.%s", imported, n.Sel.Name), do)}
}

func (f *File) inexact(pos token.Pos) Finding {
	return f.finding(pos, "pure code computes with a float, which rounds as the platform and compiler please",
		"count in integers: bytes, nanoseconds, parts per million")
}

// importNames maps the name by which a file knows a package to its path.
func (f *File) importNames() map[string]string {
	names := map[string]string{}
	for _, spec := range f.Syntax.Imports {
		imported := importPath(spec)
		name := imported[strings.LastIndexByte(imported, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}

		names[name] = imported
	}

	return names
}
