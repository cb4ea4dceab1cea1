package watches

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor/verify/history"
)

func (s *Start) exhibit() history.Exhibit {
	var text strings.Builder
	fmt.Fprintf(&text, "%s of %s", s.Stream, s.Kind)
	if s.Namespace != "" {
		fmt.Fprintf(&text, " in %s", s.Namespace)
	}
	if s.Name != "" {
		fmt.Fprintf(&text, " called %s", s.Name)
	}
	if s.Selector != "" {
		fmt.Fprintf(&text, " with %q", s.Selector)
	}
	if s.After != 0 {
		fmt.Fprintf(&text, ", after revision %d", s.After)
	}
	return history.Exhibit{Record: "watch", At: s.At, Text: text.String()}
}

func (b *Batch) exhibit() history.Exhibit {
	what := fmt.Sprintf("%d events", len(b.Events))
	if b.Bookmark {
		what = "a bookmark"
	}
	return history.Exhibit{Record: "batch", At: b.At, Text: fmt.Sprintf("%s got %s: everything up to revision %d%s", b.Stream, what, b.Revision, by(b.Node))}
}

func (d delivery) exhibit() history.Exhibit {
	text := fmt.Sprintf("%s got %s %s at revision %d", d.batch.Stream, d.Type, d.item(), d.Revision)
	if p := d.Previous; p != nil {
		text += fmt.Sprintf(", before it %s@%d", p.Value, p.Version)
	}
	return history.Exhibit{Record: "batch", At: d.batch.At, Text: text + by(d.batch.Node)}
}

func (e *Event) item() string {
	if e.Version == 0 {
		return e.Key + "=" + e.Value
	}
	return fmt.Sprintf("%s=%s@%d", e.Key, e.Value, e.Version)
}

func by(node string) string {
	if node == "" {
		return ""
	}
	return ", by " + node
}
