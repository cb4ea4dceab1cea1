package kinds

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/candor-plane/candor"
)

// maxFields is how many violations an error lists, and maxSaid how many of
// them its message repeats.
const (
	maxFields = 20
	maxSaid   = 3
)

// fault is one thing wrong with the input.
type fault struct {
	at      int // its place in the text, to put faults in reading order
	path    string
	message string
}

// faults collects what is wrong with one request.
type faults struct {
	list []fault
	// beyond counts faults that were found and not kept.
	beyond int
}

// maxKept bounds the faults that are kept for sorting, so that a document that
// is wrong everywhere costs no more than one that is wrong often.
const maxKept = 200

func (f *faults) addf(at int, path, format string, args ...any) {
	if len(f.list) >= maxKept {
		f.beyond++
		return
	}
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	f.list = append(f.list, fault{at, path, format})
}

// take adds an Error of reason INVALID that names its fields.
func (f *faults) take(err error) {
	e, ok := errors.AsType[*candor.Error](err)
	if !ok {
		return
	}
	for _, field := range e.Fields {
		f.addf(0, field.Path, "%s", field.Message)
	}
}

// under adds the faults of one part of the object, in the order of its text,
// each path prefixed. Faults of earlier parts stay before them.
func (f *faults) under(prefix string, part faults) {
	slices.SortStableFunc(part.list, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.path, b.path), cmp.Compare(a.message, b.message))
	})
	part.list = slices.CompactFunc(part.list, func(a, b fault) bool { return a.path == b.path && a.message == b.message })
	for _, p := range part.list {
		f.addf(p.at, prefix+p.path, "%s", p.message)
	}
	f.beyond += part.beyond
}

func (f *faults) any() bool { return len(f.list) > 0 }

// err is the Error of reason INVALID that says it all, nil if nothing is wrong.
func (f *faults) err(subject string) error {
	if !f.any() {
		return nil
	}
	total := len(f.list) + f.beyond
	e := &candor.Error{Reason: candor.ReasonInvalid, Subject: subject}
	for _, one := range f.list[:min(len(f.list), maxFields)] {
		e.Fields = append(e.Fields, candor.FieldViolation{Path: one.path, Message: one.message})
	}
	var b strings.Builder
	if total > 1 {
		fmt.Fprintf(&b, "%d violations: ", total)
	}
	for i, one := range f.list[:min(len(f.list), maxSaid)] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(one.path + ": " + one.message)
	}
	if total > maxSaid {
		fmt.Fprintf(&b, "; and %d more", total-maxSaid)
	}
	e.Message = b.String()
	return e
}

// fail is a fault of the text itself.
func (d *document) fail(at int, format string, args ...any) *fault {
	return &fault{at: at, message: "no valid JSON: " + fmt.Sprintf(format, args...) + " at byte " + strconv.Itoa(at)}
}

// failIn is a fault of node i.
func (d *document) failIn(i int32, format string, args ...any) *fault {
	return &fault{at: int(d.nodes[i].start), path: d.path(i), message: fmt.Sprintf(format, args...)}
}

// path leads from the document's root to node i: "" for the root itself,
// ".ports[0].name" for others. It may be asked while parsing.
func (d *document) path(i int32) string {
	var path strings.Builder
	for at := int32(0); at != i; {
		list, child, index := d.nodes[at].kind == arrayNode, at+1, 0
		for n := d.nodes[child].next; n != 0 && n <= i; n = d.nodes[child].next {
			child = n
			index++
		}
		if list {
			path.WriteString("[" + strconv.Itoa(index) + "]")
		} else if d.nodes[child].key != 0 {
			path.WriteString(keyPath(string(d.keyOf(child, nil))))
		}
		at = child
	}
	return path.String()
}

// keyPath is how a path names a member: ".name", or ["a/b"] for a key that
// would be misread so.
func keyPath(key string) string {
	plain := key != ""
	for i := range len(key) {
		c := key[i]
		plain = plain && (c == '_' || c == '-' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
	}
	if plain && len(key) <= maxShown {
		return "." + key
	}
	return "[" + quoted([]byte(key)) + "]"
}

// maxShown is how much of a value a message repeats, in bytes.
const maxShown = 80

func clip[T ~string | ~[]byte](text T) string {
	s := string(text)
	if len(s) <= maxShown {
		return s
	}
	end := maxShown
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func quoted[T ~string | ~[]byte](text T) string { return strconv.Quote(clip(text)) }

// counted is a number of things: "1 item", "2 items".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
