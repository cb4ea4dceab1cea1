package report

import (
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/candor-plane/candor/verify/history"
)

// page is what page.html shows. Every text in it is cleaned; the template escapes it.
type page struct {
	Policy, Style, Script any
	Format                string

	Name, Summary, Layer string
	Verdict              string
	Mood                 string // "pass", "violation", "inconclusive"
	Because              string
	Also                 []string
	Next, Command        string
	Facts                []fact

	Timeline       figure
	TimelineLegend []sign
	TimelineNote   string
	Flags, Faults  *grid
	ManyFaults     bool // of which the table is closed at first
	Intervals      []grid

	Latency       *figure
	LatencyLegend []sign
	LatencyNote   string
	Classes       grid

	Gaps      *grid
	GapLegend []sign

	Properties *grid
	Violations []proof

	Load, Ends *grid
	Machine    []fact
	Probes     *grid
	Scenario   string
	Files      *grid
}

type fact struct{ Name, Value string }

// figure is a chart and what the script needs to tell what is pointed at.
type figure struct {
	Name    string
	Chart   chart
	End     string // of the axis, in ms
	Readout string // the id of the line that tells
	Panel   *panel
}

type panel struct{ Height, Pad, Low, High int }

// proof is a violation.
type proof struct {
	ID, Title, Sentence string
	Chart               *figure
	Operations          *grid
	Exhibits            *grid
}

func newPage(r *Report) *page {
	a := axis{r.end()}
	why := r.because()
	p := &page{
		Policy: policy(), Style: template.CSS(pageStyle), Script: template.JS(pageScript), Format: Format, //nolint:gosec // both are files of this package
		Name: clean(r.Scenario.Name), Summary: clean(r.Scenario.Summary), Layer: clean(r.Layer),
		Verdict: r.word(), Mood: mood(r.Verdict), Because: why[0], Also: why[1:],
		Next: clean(r.Advice()), Command: clean(r.Command), Facts: r.facts(),
		Timeline:       figure{Name: "Timeline", Chart: r.timeline(a), End: milliseconds(a.end), Readout: "timeline-at"},
		TimelineLegend: r.timelineLegend(), Flags: r.flagTable(), Faults: r.faultTable(), ManyFaults: len(r.Faults) > 12, Intervals: r.intervalTables(),
		LatencyLegend: latencyLegend(), Classes: r.classTable(), Gaps: r.gapTable(), GapLegend: gapLegend(),
		Properties: r.propertyTable(), Violations: r.proofs(), Load: r.loadTable(), Ends: r.endTable(),
		Machine: r.Machine.facts(), Probes: r.Machine.probeTable(), Scenario: r.scenario(), Files: r.fileTable(),
	}
	if n := p.Timeline.Chart.NotDrawn; n > 0 {
		p.TimelineNote = fmt.Sprintf("%s of the lanes, the shortest, are not drawn; report.json has them.", plural(n, "interval", "intervals"))
	}
	if len(r.Latency) > 0 {
		p.Latency = r.latencyFigure(a)
		if n := p.Latency.Chart.NotDrawn; n > 0 {
			p.LatencyNote = fmt.Sprintf("%s not drawn: in each slice of time the slowest and the fastest of every outcome are, then others at even distances. The table counts all of them.",
				plural(n, "operation is", "operations are"))
		}
	}
	return p
}

func (r *Report) latencyFigure(a axis) *figure {
	low, high := decades(r.Latency)
	return &figure{
		Name: "Latency", Chart: r.scatter(a), End: milliseconds(a.end), Readout: "latency-at",
		Panel: &panel{Height: panelHeight, Pad: panelInside, Low: low, High: high},
	}
}

func mood(v history.Verdict) string {
	switch v {
	case history.Pass:
		return "pass"
	case history.Violated:
		return "violation"
	default:
		return "inconclusive"
	}
}

func milliseconds(d time.Duration) string { return number(float64(d) / float64(time.Millisecond)) }

func (r *Report) facts() []fact {
	began := "not told"
	if !r.Began.IsZero() {
		began = r.Began.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return []fact{
		{"Servers", fmt.Sprintf("%d", r.servers())},
		{"Layer", clean(r.Layer)},
		{"Seed", fmt.Sprintf("%d", r.Seed)},
		{"Began", began},
		{"Took", short(r.Took)},
		{"Version", clean(r.version())},
	}
}

func (m *Machine) facts() []fact {
	root := "no: namespaces and mounts need it"
	if m.Root {
		root = "yes"
	}
	facts := []fact{{"System", strings.TrimSpace(clean(m.OS) + " " + clean(m.Kernel))}, {"Processor", clean(m.Arch)}, {"Cores", fmt.Sprint(m.CPUs)}, {"Root", root}}
	for i := range facts {
		if facts[i].Value == "" || facts[i].Value == "0" {
			facts[i].Value = "not told"
		}
	}
	return facts
}

func (r *Report) scenario() string {
	text, err := json.MarshalIndent(&r.Scenario, "", "  ")
	if err != nil {
		return clean(err.Error())
	}
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

// proofs are the violations.
func (r *Report) proofs() []proof {
	var all []proof
	for i := range r.Violations {
		v := &r.Violations[i]
		p := proof{ID: fmt.Sprintf("violation-%d", i+1), Title: "Violation: " + clean(v.Property) + v.others(), Sentence: clean(v.Sentence)}
		if len(v.Operations) > 0 {
			p.Operations = v.table()
			p.Chart = &figure{Name: "The operations of " + clean(v.Property), Chart: v.chart()}
		}
		if len(v.Exhibits) > 0 {
			p.Exhibits = v.exhibits()
		}
		all = append(all, p)
	}
	return all
}

// proofRow is the height of an operation in the picture of a violation.
const proofRow = 24

// chart draws when each operation lasted: what overlaps and what does not is most of
// the argument.
func (v *Violation) chart() chart {
	c := chart{About: "When each operation began and ended; the table below holds the same as text."}
	first, last := v.Operations[0].From, v.Operations[0].To
	for i := range v.Operations {
		first, last = min(first, v.Operations[i].From), max(last, v.Operations[i].To)
	}
	a := axis{max(last-first, 1)}
	for i := range v.Operations {
		o := &v.Operations[i]
		top := float64(i * proofRow)
		c.Labels.text("label", 4, top+16, name(fmt.Sprintf("%d  %s", i+1, o.Who)))
		from, to := a.x(o.From-first), a.x(o.To-first)
		c.Plot.line("lane", 0, top+proofRow/2, chartWidth, top+proofRow/2, "")
		c.Plot.rect("op", min(from, chartWidth-3), top+5, max(to-from, 3), proofRow-10, clean(o.Who)+": "+clean(o.What))
		beside(&c.Plot, from, to, top+16, cut(clean(o.What), 60))
	}
	bottom := float64(len(v.Operations) * proofRow)
	c.Plot.line("axis", 0, bottom, chartWidth, bottom, "")
	c.Plot.text("tick first", 2, bottom+16, moment(first))
	c.Plot.text("tick last", chartWidth-2, bottom+16, moment(last)+" ("+short(last-first)+")")
	height := int(bottom) + axisHeight
	c.Labels.Width, c.Labels.Height, c.Plot.Width, c.Plot.Height = labelWidth, height, chartWidth, height
	return c
}

// beside writes what an operation was after its bar, before it, or else in it.
func beside(d *drawing, from, to, y float64, text string) {
	switch {
	case fits(text, chartWidth-to):
		d.text("in beside", to+6, y, text)
	case fits(text, from):
		d.text("in beside last", from-6, y, text)
	default:
		d.text("in beside", min(from, chartWidth/2)+6, y, text)
	}
}
