package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor/verify/history"
)

// grid is a table of the page.
type grid struct {
	Caption string
	Head    []cell
	Rows    [][]cell
	Note    string
}

// cell is a piece of a row. Class "n" is a number, "t" text that stays on one line.
type cell struct {
	Text    string
	Class   string
	Row     bool   // names the row
	Verdict string // "pass", "violation", "inconclusive": shown with its mark
	Link    string
	Bar     *drawing
}

// prose names columns of sentences, which need room.
var prose = []string{"Seen of it", "How", "Notes", "What it holds", "What it said", "Why", "Promise"}

// head names the columns; those after ">" hold numbers.
func head(names ...string) []cell {
	var cells []cell
	for _, n := range names {
		text, number := strings.CutPrefix(n, ">")
		c := cell{Text: text}
		if slices.Contains(prose, text) {
			c.Class = "wide"
		}
		if number {
			c.Class = "n"
		}
		cells = append(cells, c)
	}
	return cells
}

func num(text string) cell { return cell{Text: text, Class: "n"} }

// of is text, and row text that names a row; a word or two stay on one line, and a
// sentence gets room.
func of(text string) cell {
	c := cell{Text: clean(text)}
	switch {
	case len(c.Text) <= 20:
		c.Class = "t"
	case len(c.Text) > 60:
		c.Class = "wide"
	}
	return c
}

func row(text string) cell {
	c := of(text)
	c.Row = true
	return c
}

// mostRows is how many rows a table of the page has at most.
const mostRows = 300

// end cuts what is too long, says so, and returns nil for a table without rows.
func (g *grid) end() *grid {
	if len(g.Rows) == 0 {
		return nil
	}
	if more := len(g.Rows) - mostRows; more > 0 {
		g.Rows = g.Rows[:mostRows]
		g.Note = strings.TrimSpace(g.Note + " " + plural(more, "more row is", "more rows are") + " in report.json.")
	}
	return g
}

func (r *Report) flagTable() *grid {
	g := grid{Caption: "Broken promises on the axis", Head: head("Flag", ">At", "Promise")}
	for i := range r.Flags {
		g.Rows = append(g.Rows, []cell{row(mark("V", i)), num(moment(r.Flags[i].At)), of(r.Flags[i].Property)})
	}
	return g.end()
}

func (r *Report) faultTable() *grid {
	g := grid{Caption: "Faults", Head: head("Fault", "Kind", "Targets", ">At", ">Lasted", "Seen of it", "How")}
	for i := range r.Faults {
		f := &r.Faults[i]
		bite := of(f.bite())
		if f.Bite.Seen == 0 {
			bite.Verdict = "inconclusive"
		}
		g.Rows = append(g.Rows, []cell{row(mark("F", i)), of(strings.TrimSpace(f.Kind + " " + f.Of)), of(strings.Join(f.Targets, ", ")), num(moment(f.From)), num(f.lasted()), bite, of(f.Note)})
	}
	return g.end()
}

func (r *Report) intervalTables() []grid {
	var all []grid
	for i := range r.Lanes.Nodes {
		lane := &r.Lanes.Nodes[i]
		g := grid{Caption: "Server " + clean(lane.Node), Head: head("State", ">Term", ">From", ">To", ">Lasted")}
		for _, v := range lane.Intervals {
			g.Rows = append(g.Rows, []cell{row(string(v.State)), num(known(v.Term)), num(moment(v.From)), num(moment(v.To)), num(short(v.To - v.From))})
		}
		if g.end() != nil {
			all = append(all, g)
		}
	}
	for i := range r.Lanes.Duties {
		lane := &r.Lanes.Duties[i]
		g := grid{Caption: "Duty " + clean(lane.Duty), Head: head("Holder", ">Era", ">From", ">To", ">Lasted")}
		for _, v := range lane.Eras {
			g.Rows = append(g.Rows, []cell{row(v.Holder), num(known(v.Era)), num(moment(v.From)), num(moment(v.To)), num(short(v.To - v.From))})
		}
		if g.end() != nil {
			all = append(all, g)
		}
	}
	return all
}

func known(n uint64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

func (r *Report) classTable() grid {
	g := grid{Caption: "All operations, by class", Head: head("Class", ">Ok", ">Unknown", ">Refused", ">Median", ">p99", ">Slowest", ">Drawn")}
	for _, s := range r.series() {
		g.Rows = append(g.Rows, []cell{
			row(string(s.Class)), num(count(s.Ok)), num(count(s.Unknown)), num(count(s.Refused)),
			num(short(s.P50)), num(short(s.P99)), num(short(s.Max)), num(count(len(s.Samples))),
		})
	}
	return g
}

// gapTable has the longest gaps of every class.
func (r *Report) gapTable() *grid {
	const shown = 15
	g := grid{Caption: "The longest times without an answer, by class", Head: head("Class", ">At", ">Lasted", "Limit", "Waited on")}
	scale, more := time.Duration(1), 0
	for i := range r.Gaps {
		scale = max(scale, r.Gaps[i].Longest())
	}
	for _, gaps := range r.gaps() {
		if len(gaps.Gaps) == 0 {
			g.Rows = append(g.Rows, []cell{row(string(gaps.Class)), num("–"), num("never"), gaps.cell(0), of("")})
		}
		order := slices.Clone(gaps.Gaps)
		slices.SortStableFunc(order, func(a, b Gap) int { return cmp.Compare(b.Took(), a.Took()) })
		if len(order) > shown {
			more += len(order) - shown
			order = order[:shown]
		}
		for i := range order {
			v := &order[i]
			waited := cell{Text: waits(v), Class: "wide", Bar: v.bar(scale)}
			g.Rows = append(g.Rows, []cell{row(string(gaps.Class)), num(moment(v.From)), num(short(v.Took())), gaps.cell(v.Took()), waited})
		}
	}
	if more > 0 {
		g.Note = plural(more, "shorter gap is", "shorter gaps are") + " in report.json."
	}
	return g.end()
}

// cell says whether a gap of the class may last so long.
func (g *Gaps) cell(took time.Duration) cell {
	switch {
	case g.Limit == 0:
		return of("none")
	case took <= g.Limit:
		return cell{Text: "within " + short(g.Limit), Class: "t", Verdict: "pass"}
	default:
		return cell{Text: "over " + short(g.Limit), Class: "t", Verdict: "violation"}
	}
}

// bar draws what a gap waited on; scale is the length of the whole.
func (g *Gap) bar(scale time.Duration) *drawing {
	d := &drawing{Width: 420, Height: 12}
	x := 0.0
	for _, w := range g.parts() {
		width := float64(w.For) / float64(scale) * float64(d.Width)
		d.rect(w.On.class(), x, 1, max(width, 1), 10, "")
		x += width
	}
	return d
}

func (r *Report) propertyTable() *grid {
	g := grid{Caption: "Every promise that was checked, and how close it came to being broken", Head: head("Promise", ">Checked", "Verdict", ">Weakest margin", "Notes")}
	for i := range r.Properties {
		p := &r.Properties[i]
		verdict := cell{Text: string(p.Verdict), Verdict: mood(p.Verdict), Class: "t"}
		g.Rows = append(g.Rows, []cell{row(p.Property), num(count(p.Checked)), verdict, num(margin(p)), of(r.notes(p))})
	}
	return g.end()
}

// notes are why a check is inconclusive, what it left out, and whether it counts.
func (r *Report) notes(p *history.Report) string {
	var notes []string
	if p.Verdict == history.Violated {
		notes = append(notes, plural(p.Violations, "violation", "violations"))
	}
	if p.Why != "" {
		notes = append(notes, p.Why)
	}
	for _, why := range sorted(p.Left) {
		notes = append(notes, "left out: "+count(p.Left[why])+" "+why)
	}
	if why, unchecked := r.Scenario.Expect.Unchecked[p.Check]; unchecked {
		notes = append(notes, "no part of the verdict: "+why)
	}
	return strings.Join(notes, "; ")
}

func (v *Violation) table() *grid {
	g := grid{Caption: "The smallest history that shows it", Head: head("Step", ">Began", ">Ended", "Client", "What")}
	for i := range v.Operations {
		o := &v.Operations[i]
		what := of(o.What)
		what.Class = "mono wide"
		g.Rows = append(g.Rows, []cell{row(fmt.Sprint(i + 1)), num(moment(o.From)), num(moment(o.To)), of(o.Who), what})
	}
	return g.end()
}

func (v *Violation) exhibits() *grid {
	caption := "What else was recorded of it"
	if len(v.Operations) == 0 {
		caption = "The records that show it"
	}
	g := grid{Caption: caption, Head: head("Record", ">At", "What")}
	for i := range v.Exhibits {
		e := &v.Exhibits[i]
		what := of(e.Text)
		what.Class = "mono wide"
		g.Rows = append(g.Rows, []cell{row(e.Record), num(e.moment()), what})
	}
	return g.end()
}

func (r *Report) loadTable() *grid {
	if r.Census == nil {
		return nil
	}
	c := r.Census
	g := grid{Caption: "What was recorded", Head: head("What", ">Count")}
	add := func(what string, n int) { g.Rows = append(g.Rows, []cell{row(what), num(count(n))}) }
	add("operations", c.Operations)
	add("clients", c.Clients)
	add("servers that answered", c.Nodes)
	add("their starts", c.Boots)
	for _, class := range sorted(c.Reads) {
		add("reads answered, "+string(class), c.Reads[class])
	}
	for _, outcome := range sorted(c.Writes) {
		add("writes, "+string(outcome), c.Writes[outcome])
	}
	for _, reason := range sorted(c.Refused) {
		add("not answered, "+string(reason), c.Refused[reason])
	}
	return g.end()
}

func (r *Report) endTable() *grid {
	g := grid{Caption: "Servers that ended by themselves", Head: head("Server", ">At", "Expected", "Reason", "What it said")}
	for i := range r.Ends {
		e := &r.Ends[i]
		expected := cell{Text: "yes"}
		if !e.Expected {
			expected = cell{Text: "no", Verdict: "violation"}
		}
		g.Rows = append(g.Rows, []cell{row(e.Server), num(moment(e.At)), expected, of(e.Reason), of(e.Message)})
	}
	return g.end()
}

func (m *Machine) probeTable() *grid {
	g := grid{Caption: "Means of harm that were looked for", Head: head("Means", "Here", "Used", "Instead", "Why")}
	for _, p := range m.Probes {
		here, used := "no", "no"
		if p.Able {
			here = "yes"
		}
		if p.Used {
			used = "yes"
		}
		g.Rows = append(g.Rows, []cell{row(p.Name), of(here), of(used), of(p.Instead), of(p.Why)})
	}
	return g.end()
}

func (r *Report) fileTable() *grid {
	g := grid{Caption: "In the same directory", Head: head("File", ">Size", "What it holds")}
	for _, f := range r.Files {
		c := row(f.Name)
		c.Row = false
		if filepath.IsLocal(f.Name) {
			c.Link = "./" + filepath.ToSlash(f.Name)
		}
		bytes := "–"
		if f.Bytes > 0 {
			bytes = size(f.Bytes)
		}
		g.Rows = append(g.Rows, []cell{c, num(bytes), of(f.What)})
	}
	return g.end()
}
