package output

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/jsonpath"
)

// Columns are how objects of one kind show in a table: NAMESPACE where several
// are listed, NAME, the kind's printer columns, AGE, and with -o wide what
// made the version.
type Columns struct {
	Namespace bool
	Wide      bool
	// Now is what ages are counted to.
	Now time.Time

	printers []printer
}

type printer struct {
	name string
	path jsonpath.Path
	err  error
}

// NewColumns takes the printer columns of a kind that the format asks for.
func NewColumns(printers []candor.PrinterColumn, wide bool, now time.Time) Columns {
	c := Columns{Wide: wide, Now: now}
	for _, column := range printers {
		if column.Wide && !wide {
			continue
		}
		path, err := jsonpath.ParsePath(column.Path)
		c.printers = append(c.printers, printer{name: strings.ToUpper(column.Name), path: path, err: err})
	}
	return c
}

// Names are the column names.
func (c Columns) Names() []string {
	var names []string
	if c.Namespace {
		names = append(names, "NAMESPACE")
	}
	names = append(names, "NAME")
	for _, p := range c.printers {
		names = append(names, p.name)
	}
	names = append(names, "AGE")
	if c.Wide {
		names = append(names, "REVISION", "GENERATION", "ACTOR")
	}
	return names
}

// Cells are an object's row. A value that is not there is "".
func (c Columns) Cells(o *candor.Object) []string {
	var cells []string
	if c.Namespace {
		cells = append(cells, o.Metadata.Namespace)
	}
	cells = append(cells, o.Metadata.Name)
	if len(c.printers) > 0 {
		root, err := Decoded(o)
		for _, p := range c.printers {
			cells = append(cells, c.clipped(p.cell(root, err)))
		}
	}
	age := Age(c.Now, o.Metadata.CreationTime)
	if o.Terminating() {
		age = strings.TrimPrefix(age+" (terminating)", " ")
	}
	cells = append(cells, age)
	if c.Wide {
		actor := ""
		if o.Cause != nil {
			actor = o.Cause.Actor
		}
		cells = append(cells, number(o.Metadata.ResourceVersion), number(o.Metadata.Generation), actor)
	}
	return cells
}

// widestCell is how much of a value a table shows; -o wide shows all of it.
const widestCell = 64

func (c Columns) clipped(text string) string {
	if c.Wide || utf8.RuneCountInString(text) <= widestCell {
		return text
	}
	return string([]rune(text)[:widestCell-1]) + "…"
}

func (p printer) cell(root any, err error) string {
	if err != nil || p.err != nil {
		return "!unreadable"
	}
	var values []string
	for _, value := range p.path.Find(root) {
		if value != nil {
			values = append(values, jsonpath.Text(value))
		}
	}
	return strings.Join(values, ",")
}

func number(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// Decoded is a value as its JSON form, with numbers as they were written.
func Decoded(value json.Marshaler) (any, error) {
	text, err := value.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return decodeJSON(text)
}

func decodeJSON(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var root any
	err := dec.Decode(&root)
	return root, err
}
