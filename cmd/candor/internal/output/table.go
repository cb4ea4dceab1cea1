package output

import (
	"bytes"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// gap is the blanks between two columns.
const gap = 3

// Table lays rows out in columns. It belongs to one goroutine.
type Table struct {
	out     io.Writer
	palette Palette
	columns []string
	states  bool
	text    bytes.Buffer
	layout  *tabwriter.Writer
}

// NewTable returns a table that is written to out by Flush.
func NewTable(out io.Writer, palette Palette, columns ...string) *Table {
	t := &Table{out: out, palette: palette, columns: columns}
	t.layout = tabwriter.NewWriter(&t.text, 0, 0, gap, ' ', 0)
	t.line(columns)
	return t
}

// States has the protocol's state words coloured.
func (t *Table) States() *Table {
	t.states = true
	return t
}

// Row adds a row, one cell a column. An empty cell shows as "-".
func (t *Table) Row(cells ...string) {
	shown := make([]string, len(t.columns))
	for i := range shown {
		shown[i] = "-"
		if i < len(cells) && cells[i] != "" {
			shown[i] = Clean(cells[i])
		}
	}
	t.line(shown)
}

func (t *Table) line(cells []string) {
	// A bytes.Buffer takes every write.
	_, _ = io.WriteString(t.layout, strings.Join(cells, "\t")+"\n")
}

// Flush writes the table.
func (t *Table) Flush() error {
	if err := t.layout.Flush(); err != nil {
		return err
	}
	header, rows, _ := strings.Cut(t.text.String(), "\n")
	if t.states {
		rows = t.palette.States(rows)
	}
	_, err := io.WriteString(t.out, t.palette.Heading(header)+"\n"+rows)
	return err
}

// Stream lays rows out as they come: each column is as wide as its widest cell
// so far. It belongs to one goroutine.
type Stream struct {
	out    io.Writer
	widths []int
}

// NewStream writes the column names and returns the stream for the rows.
func NewStream(out io.Writer, palette Palette, columns ...string) (*Stream, error) {
	s := &Stream{out: out, widths: make([]int, len(columns))}
	_, err := io.WriteString(out, palette.Heading(s.lay(columns))+"\n")
	return s, err
}

// Row writes a row at once.
func (s *Stream) Row(cells ...string) error {
	shown := make([]string, len(s.widths))
	for i := range shown {
		shown[i] = "-"
		if i < len(cells) && cells[i] != "" {
			shown[i] = Clean(cells[i])
		}
	}
	_, err := io.WriteString(s.out, s.lay(shown)+"\n")
	return err
}

func (s *Stream) lay(cells []string) string {
	var line strings.Builder
	for i, cell := range cells {
		width := utf8.RuneCountInString(cell)
		s.widths[i] = max(s.widths[i], width)
		line.WriteString(cell)
		if i < len(cells)-1 {
			line.WriteString(strings.Repeat(" ", s.widths[i]-width+gap))
		}
	}
	return line.String()
}

// Facts lays out "label: value" lines for one thing, values aligned. Facts
// without a value are left out: what is not known is not said.
type Facts struct {
	out     io.Writer
	palette Palette
	pairs   [][2]string
}

// NewFacts returns facts that are written to out by Flush.
func NewFacts(out io.Writer, palette Palette) *Facts { return &Facts{out: out, palette: palette} }

// Add adds one fact; a value of several lines is aligned too.
func (f *Facts) Add(label, value string) {
	if value != "" {
		f.pairs = append(f.pairs, [2]string{label, value})
	}
}

// Flush writes the facts and forgets them.
func (f *Facts) Flush() error {
	width := 0
	for _, pair := range f.pairs {
		width = max(width, utf8.RuneCountInString(pair[0]))
	}
	var text strings.Builder
	for _, pair := range f.pairs {
		label := pair[0] + ":" + strings.Repeat(" ", width-utf8.RuneCountInString(pair[0])+2)
		for i, line := range strings.Split(strings.TrimRight(pair[1], "\n"), "\n") {
			if i > 0 {
				label = strings.Repeat(" ", utf8.RuneCountInString(label))
			}
			text.WriteString(label + f.palette.States(Clean(line)) + "\n")
		}
	}
	f.pairs = nil
	_, err := io.WriteString(f.out, text.String())
	return err
}
