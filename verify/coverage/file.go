package coverage

import (
	"encoding/json"
	"io"
	"slices"

	"github.com/candor-plane/candor"
)

// Format is what a file of a coverage calls itself.
const Format = "candor-coverage/1"

// file is the stored form: JSON, its lists in order, so that equal coverages have equal
// bytes.
type file struct {
	Format  string    `json:"format"`
	Seen    []Seen    `json:"seen"`
	Reached []Reached `json:"reached,omitempty"`
}

func (c *Coverage) file() file {
	f := file{Format: Format, Seen: []Seen{}}
	for key, t := range c.seen {
		f.Seen = append(f.Seen, Seen{Step: key.step, Source: key.source, Count: t.count, First: t.first})
	}
	slices.SortFunc(f.Seen, compareSeen)
	for _, step := range sorted(c.reached) {
		f.Reached = append(f.Reached, c.reached[step])
	}
	return f
}

// Write writes the coverage as a file.
func (c *Coverage) Write(w io.Writer) error {
	c.mu.Lock()
	f := c.file()
	c.mu.Unlock()
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return candor.Wrap("write coverage", encoder.Encode(f))
}

// Read reads what Write wrote. DATA_CORRUPT is for what is none, FEATURE_LEVEL for a
// form that this build does not know.
func Read(r io.Reader) (*Coverage, error) {
	decoder := json.NewDecoder(r)
	var f file
	if err := decoder.Decode(&f); err != nil {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "coverage: %w", err)
	}
	if f.Format != Format {
		return nil, candor.Errorf(candor.ReasonFeatureLevel, "coverage: the file calls itself %q; this build reads %s", f.Format, Format)
	}
	for _, s := range f.Seen {
		if s.Count == 0 || s.Step == "" || !slices.Contains(Sources(), s.Source) {
			return nil, candor.Errorf(candor.ReasonDataCorrupt, "coverage: step %q of source %q is counted %d times", s.Step, s.Source, s.Count)
		}
	}
	c := New()
	c.take(&f)
	return c, nil
}
