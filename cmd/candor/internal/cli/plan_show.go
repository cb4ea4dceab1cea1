package cli

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// Plan writes a plan for people.
func (t *Teller) Plan(p *candor.Plan) error {
	w := &lines{out: t.Out}
	if p.Empty() {
		w.line("Nothing would change at " + p.Token.String())
		return w.err
	}
	w.line(output.Clean(planHeadline(p)))
	for _, group := range []struct {
		verb    string
		changes []candor.PlannedChange
	}{{"create", p.Creates}, {"change", p.Updates}, {"delete", p.Deletes}} {
		for i := range group.changes {
			w.line(t.change(group.verb, &group.changes[i]))
		}
	}
	w.do(func() error { return t.places(p) })
	for _, alike := range unplaceable(p.Unplaceable) {
		w.line("")
		w.line(t.Palette.Bad(output.Clean(alike.instances + " would stay Pending")))
		w.do(func() error { return t.Tell(alike.why) })
	}
	return w.err
}

// stuck are instances that would stay Pending for one reason.
type stuck struct {
	instances string
	why       *candor.Explanation
}

// unplaceable puts those together that would stay Pending for the same reason.
func unplaceable(all []candor.Unplaceable) []stuck {
	var out []stuck
	alike := map[string]int{}
	for i := range all {
		u := &all[i]
		if alike[u.Explanation.Headline]++; alike[u.Explanation.Headline] == 1 {
			out = append(out, stuck{u.Instance.String(), &u.Explanation})
		}
	}
	for i := range out {
		if more := alike[out[i].why.Headline] - 1; more > 0 {
			out[i].instances += fmt.Sprintf(" and %d more", more)
		}
	}
	return out
}

func planHeadline(p *candor.Plan) string {
	var parts []string
	for _, n := range []struct {
		count int
		what  string
	}{
		{len(p.Creates), "created"}, {len(p.Updates), "changed"}, {len(p.Deletes), "deleted"}, {len(p.Placements), "placed"},
		{len(p.Moves), "moved"}, {len(p.Preemptions), "evicted for others"}, {len(p.Unplaceable), "without a place"},
	} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	return "At " + p.Token.String() + ": " + strings.Join(parts, ", ")
}

// change is one line for a write: "~ change workloads/team/web (replicas 2 -> 4)".
func (t *Teller) change(verb string, c *candor.PlannedChange) string {
	text := verb + " " + c.Object.String()
	if len(c.Fields) > 0 {
		fields := make([]string, len(c.Fields))
		for i, f := range c.Fields {
			fields[i] = f.String()
		}
		text += " (" + strings.Join(fields, ", ") + ")"
	}
	if c.Because != (candor.Ref{}) {
		text += ", for " + c.Because.String()
	}
	text = output.Clean(text)
	switch verb {
	case "create":
		return t.Palette.Added("+ " + text)
	case "delete":
		return t.Palette.Removed("- " + text)
	default:
		return "~ " + text
	}
}

func (t *Teller) places(p *candor.Plan) error {
	if len(p.Placements)+len(p.Moves)+len(p.Preemptions) == 0 {
		return nil
	}
	table := output.NewTable(t.Out, t.Palette, "INSTANCE", "ACTION", "NODE", "SCORE", "NOTE")
	for _, x := range p.Placements {
		table.Row(x.Instance.String(), "place", x.Node, fmt.Sprint(x.Score))
	}
	for _, x := range p.Moves {
		table.Row(x.Instance.String(), "move", x.To, "", "from "+x.From)
	}
	for _, x := range p.Preemptions {
		table.Row(x.Victim.String(), "evict", x.Node, "", "for "+x.For.String())
	}
	return table.Flush()
}
