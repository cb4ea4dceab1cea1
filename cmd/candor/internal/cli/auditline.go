package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// auditLine is what people are shown of a line, and the line itself.
type auditLine struct {
	Time            string `json:"time"`
	Node            string `json:"node"`
	Actor           string `json:"actor"`
	AuthenticatedBy string `json:"authenticatedBy"`
	Source          string `json:"source"`
	Method          string `json:"method"`
	Verb            string `json:"verb"`
	Kind            string `json:"kind"`
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	Section         string `json:"section"`
	Verdict         string `json:"verdict"`
	Reason          string `json:"reason"`
	Message         string `json:"message"`
	Count           uint64 `json:"count"`

	text []byte
}

// readAuditLine keeps a copy. What is no record, which somebody else wrote into the
// file, shows as its text.
func readAuditLine(text []byte) auditLine {
	line := auditLine{text: bytes.Clone(text)}
	if json.Unmarshal(text, &line) != nil {
		return auditLine{text: line.text, Verdict: "UNREADABLE", Message: string(text)}
	}
	return line
}

// auditPrinter shows lines as they come.
type auditPrinter struct {
	f      *Factory
	format output.Format
	nodes  bool
	stream *output.Stream
}

// newAuditPrinter begins; nodes says that lines of several servers come.
func newAuditPrinter(f *Factory, format output.Format, nodes bool) (*auditPrinter, error) {
	p := &auditPrinter{f: f, format: format, nodes: nodes}
	if format.Structured() {
		return p, nil
	}
	// As wide as what usually stands below.
	columns := []string{fmt.Sprintf("%-24s", "TIME")}
	if nodes {
		columns = append(columns, "SERVER")
	}
	columns = append(columns, "VERDICT", fmt.Sprintf("%-12s", "ACTOR"), fmt.Sprintf("%-6s", "VERB"), fmt.Sprintf("%-32s", "WHAT"))
	if format.Wide() {
		columns = append(columns, "BY", "SOURCE", "METHOD")
	}
	var err error
	p.stream, err = output.NewStream(f.Out, f.OutPalette(), append(columns, "REASON")...)
	if err != nil {
		return nil, internal("audit tail", err)
	}
	return p, nil
}

func (p *auditPrinter) line(text []byte) error { return p.row(readAuditLine(text)) }

func (p *auditPrinter) row(l auditLine) error {
	var err error
	switch {
	case p.format == output.JSONFormat:
		_, err = fmt.Fprintf(p.f.Out, "%s\n", l.text)
	case p.format.Structured():
		err = p.format.Document(p.f.Out, json.RawMessage(l.text))
	default:
		err = p.stream.Row(p.cells(l)...)
	}
	if err != nil {
		return internal("audit tail", err)
	}
	return nil
}

func (p *auditPrinter) cells(l auditLine) []string {
	cells := []string{l.moment()}
	if p.nodes {
		cells = append(cells, l.Node)
	}
	cells = append(cells, l.Verdict, l.Actor, l.Verb, l.what())
	if p.format.Wide() {
		cells = append(cells, l.AuthenticatedBy, l.Source, l.Method)
	}
	return append(cells, l.why())
}

func (l *auditLine) moment() string {
	at, err := time.Parse(time.RFC3339Nano, l.Time)
	if err != nil {
		return l.Time
	}
	return at.UTC().Format(atMoment)
}

// what is KIND/NAMESPACE/NAME, as far as there is, and the section that is not the
// usual one.
func (l *auditLine) what() string {
	var parts []string
	for _, part := range []string{l.Kind, l.Namespace, l.Name} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	what := strings.Join(parts, "/")
	if what == "" && l.Verb == "" {
		what = l.Method
	}
	if l.Section != "" && l.Section != "spec" {
		what += " (" + l.Section + ")"
	}
	return what
}

func (l *auditLine) why() string {
	switch {
	case l.Count > 0:
		return fmt.Sprintf("%d records: %s", l.Count, l.Message)
	case l.Reason == "":
		return l.Message
	case l.Message == "":
		return l.Reason
	default:
		return l.Reason + ": " + strings.TrimSuffix(l.Message, " ("+l.Reason+")")
	}
}
