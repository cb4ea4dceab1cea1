package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// WriteText writes the account for a terminal of 80 columns, without colour. Only the
// command may be longer: it is made to be copied.
func WriteText(w io.Writer, r *Report) error {
	var out strings.Builder
	r.textVerdict(&out)
	r.textProperties(&out)
	r.textFaults(&out)
	r.textClasses(&out)
	r.textEnds(&out)
	r.textViolations(&out)
	r.textClose(&out)
	_, err := io.WriteString(w, out.String())
	return candor.Wrap("write report", err)
}

func (r *Report) textVerdict(out *strings.Builder) {
	why := r.because()
	head := r.word() + "  "
	wrap(out, head, strings.Repeat(" ", len(head)), why[0])
	for _, also := range why[1:] {
		wrap(out, "  - ", "    ", also)
	}
	wrap(out, "", "  ", fmt.Sprintf("Drill %s, seed %d, on %s (%s): %s, %s.", clean(r.Scenario.Name), r.Seed, plural(r.servers(), "server", "servers"),
		clean(r.Layer), short(r.Took), clean(r.version())))
	out.WriteString("\n")
}

// word is the verdict, also where there is none.
func (r *Report) word() string {
	if r.Verdict == "" {
		return "NO VERDICT"
	}
	return clean(string(r.Verdict))
}

// because is Why, shown; an account always says why.
func (r *Report) because() []string {
	var why []string
	for _, s := range r.Why {
		why = append(why, clean(s))
	}
	if len(why) == 0 {
		return []string{"The drill does not say why."}
	}
	return why
}

func (r *Report) servers() int {
	switch {
	case len(r.Lanes.Nodes) > 0:
		return len(r.Lanes.Nodes)
	case r.Scenario.Cluster.Servers > 0:
		return r.Scenario.Cluster.Servers
	default:
		return 3
	}
}

func (r *Report) version() string {
	if r.Version == "" {
		return "version not told"
	}
	return r.Version
}

func (r *Report) textProperties(out *strings.Builder) {
	if len(r.Properties) == 0 {
		out.WriteString("No check had anything to check.\n\n")
		return
	}
	t := table{right: []int{1}}
	t.add("PROPERTY", "CHECKED", "VERDICT", "MARGIN")
	for i := range r.Properties {
		p := &r.Properties[i]
		t.add(clean(p.Property), count(p.Checked), string(p.Verdict), margin(p))
	}
	t.write(out)
	said := false
	for i := range r.Properties {
		p := &r.Properties[i]
		if p.Verdict == history.Inconclusive {
			wrap(out, "  ", "    ", clean(p.Property)+": "+clean(p.Why))
			said = true
		}
	}
	if said {
		out.WriteString("\n")
	}
}

func margin(p *history.Report) string {
	if p.Margin == nil {
		return "-"
	}
	return p.Margin.String()
}

func (r *Report) textFaults(out *strings.Builder) {
	if len(r.Faults) == 0 {
		return
	}
	t := table{right: []int{1, 2}}
	t.add("FAULT", "AT", "LASTED", "SEEN OF IT")
	told := r.faultsToTell()
	for _, i := range told {
		f := &r.Faults[i]
		t.add(f.title(), moment(f.From), f.lasted(), f.bite())
	}
	if more := len(r.Faults) - len(told); more > 0 {
		t.after = "  and " + count(more) + " more that bit, in the report"
	}
	t.write(out)
}

// faultsToTell are those that did not bite, then others, as many as a screen has
// room for; in the order of time.
func (r *Report) faultsToTell() []int {
	const room = 12
	order := r.faultsInOrder()
	left := room
	for _, i := range order {
		if r.Faults[i].Bite.Seen == 0 {
			left--
		}
	}
	return slices.DeleteFunc(order, func(i int) bool {
		if r.Faults[i].Bite.Seen == 0 {
			return false
		}
		left--
		return left < 0
	})
}

// title is what was done to whom.
func (f *Band) title() string {
	words := []string{f.Kind}
	if f.Of != "" {
		words = append(words, f.Of)
	}
	if len(f.Targets) > 0 {
		words = append(words, strings.Join(f.Targets, ", "))
	}
	return clean(strings.Join(words, " "))
}

func (f *Band) lasted() string {
	if f.To <= f.From {
		return "a moment"
	}
	return short(f.To - f.From)
}

func (f *Band) bite() string {
	switch {
	case f.Bite.Seen == 0:
		return "nothing: it did not bite"
	case f.Bite.What == "":
		return plural(f.Bite.Seen, "time", "times")
	default:
		return clean(f.Bite.What) + ": " + count(f.Bite.Seen)
	}
}

func (r *Report) textClasses(out *strings.Builder) {
	if len(r.Latency) > 0 {
		t := table{right: []int{1, 2, 3, 4, 5, 6}}
		t.add("LATENCY", "OK", "UNKNOWN", "REFUSED", "P50", "P99", "MAX")
		for _, s := range r.series() {
			t.add(clean(string(s.Class)), count(s.Ok), count(s.Unknown), count(s.Refused), short(s.P50), short(s.P99), short(s.Max))
		}
		t.write(out)
	}
	if len(r.Gaps) == 0 {
		return
	}
	t := table{right: []int{1, 2, 3}}
	t.add("UNANSWERED", "GAPS", "LONGEST", "LIMIT")
	for _, g := range r.gaps() {
		t.add(clean(string(g.Class)), count(len(g.Gaps)), short(g.Longest()), g.limit())
	}
	t.write(out)
	r.textWaits(out)
}

// textWaits says what the longest gap of each class waited on.
func (r *Report) textWaits(out *strings.Builder) {
	said := false
	for _, g := range r.gaps() {
		if g.Longest() > 0 {
			wrap(out, "  ", "    ", clean(string(g.Class))+": the longest waited on "+g.waitedOn())
			said = true
		}
	}
	if said {
		out.WriteString("\n")
	}
}

func (g *Gaps) limit() string {
	switch {
	case g.Limit == 0:
		return "none"
	case g.Kept():
		return short(g.Limit)
	default:
		return short(g.Limit) + " broken"
	}
}

// waitedOn says what the longest gap waited on.
func (g *Gaps) waitedOn() string {
	for i := range g.Gaps {
		if g.Gaps[i].Took() == g.Longest() {
			return waits(&g.Gaps[i])
		}
	}
	return "-"
}

func waits(g *Gap) string {
	var parts []string
	for _, w := range g.parts() {
		parts = append(parts, string(w.On)+" "+short(w.For))
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

func (r *Report) textEnds(out *strings.Builder) {
	for i := range r.Ends {
		e := &r.Ends[i]
		wrap(out, "", "  ", "Server "+clean(e.Server)+" ended by itself at "+moment(e.At)+", "+e.expected()+": "+e.told())
	}
	if len(r.Ends) > 0 {
		out.WriteString("\n")
	}
}

func (e *End) expected() string {
	if e.Expected {
		return "as the drill expects"
	}
	return "which the drill does not expect"
}

func (e *End) told() string {
	told := strings.TrimSpace(clean(e.Reason) + " " + clean(e.Message))
	if told == "" {
		return "it told no reason"
	}
	return told
}

func (r *Report) textViolations(out *strings.Builder) {
	for i := range r.Violations {
		v := &r.Violations[i]
		wrap(out, "VIOLATED  ", "  ", clean(v.Property)+v.others())
		wrap(out, "  ", "  ", clean(v.Sentence))
		for j := range v.Operations {
			o := &v.Operations[j]
			wrap(out, fmt.Sprintf("  %d  ", j+1), "     ", "["+moment(o.From)+" "+moment(o.To)+"] "+clean(o.Who)+": "+clean(o.What))
		}
		for _, e := range v.Exhibits {
			at := ""
			if e.At != nil {
				at = "[" + e.moment() + "] "
			}
			wrap(out, "  -  ", "     ", at+clean(e.Record)+": "+clean(e.Text))
		}
		out.WriteString("\n")
	}
}

func (v *Violation) others() string {
	if v.Count < 2 {
		return ""
	}
	return ", the first of " + count(v.Count)
}

func (r *Report) textClose(out *strings.Builder) {
	wrap(out, "Next: ", "  ", clean(r.Advice()))
	out.WriteString("Again:\n" + broken(clean(r.Command)))
	if len(r.Files) == 0 {
		return
	}
	out.WriteString(r.filesAre() + "\n")
	var t table
	for i := range r.Files {
		t.add("  "+clean(r.Files[i].Name), clean(r.Files[i].What))
	}
	t.lines(out)
}

// filesAre heads the list of files.
func (r *Report) filesAre() string {
	if r.Folder == "" {
		return "Files:"
	}
	return "Files in " + clean(r.Folder) + ", of which report.html is for people:"
}

// broken is a command in lines that a shell takes as one. One with quotes stays on
// one line: within them a line cannot be broken so.
func broken(command string) string {
	if strings.ContainsAny(command, "'\"\\") {
		return "  " + command + "\n"
	}
	var out strings.Builder
	line := " "
	for word := range strings.SplitSeq(command, " ") {
		if line != " " && lipgloss.Width(line)+lipgloss.Width(word)+3 > columns {
			out.WriteString(line + " \\\n")
			line = "   "
		}
		line += " " + word
	}
	return out.String() + line + "\n"
}
