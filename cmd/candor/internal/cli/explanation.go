package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// Teller writes explanations for people. Names are what servers are called, by ID; it
// may be empty.
type Teller struct {
	Out     io.Writer
	Palette output.Palette
	Names   map[string]string
	// Done is what controllers last did about the subject.
	Done []candor.Reconciliation
}

// Tell writes one explanation: what is so, the verdicts of a decision, what would
// change it, what led to it, and when it is looked at again. It writes nothing that the
// explanation does not say.
func (t *Teller) Tell(x *candor.Explanation) error {
	w := &lines{out: t.Out}
	w.line(t.Palette.States(output.Clean(x.Headline)))
	if x.Decision != nil {
		w.line(t.Palette.Faint(output.Clean(decisionLine(x.Decision))))
	}
	w.do(func() error { return t.verdicts(x) })
	if d := x.Decision; d != nil {
		for _, text := range outcomeLines(d) {
			w.line(output.Clean(text))
		}
	}
	if text := changesText(x.Changes); text != "" {
		w.line("Smallest change that fits: " + output.Clean(text))
	}
	for _, fact := range x.Facts {
		w.line("- " + t.Palette.States(output.Clean(fact)))
	}
	for i := range x.Because {
		lead := "Because: "
		if i > 0 {
			lead = "      <- "
		}
		w.line(lead + output.Clean(t.link(&x.Because[i])))
	}
	w.do(t.done)
	if x.Next != "" {
		lead := "Next: "
		if x.Decision != nil && x.Decision.Verdict != candor.VerdictPlaced {
			lead = "Next attempt: "
		}
		w.line(lead + output.Clean(x.Next))
	}
	if x.Replay != nil {
		w.line(t.Palette.States(output.Clean(replayText(x.Decision, x.Replay))))
	}
	return w.err
}

// lines writes until the first error, which it keeps.
type lines struct {
	out io.Writer
	err error
}

func (l *lines) line(text string) {
	l.do(func() error {
		_, err := fmt.Fprintln(l.out, text)
		return err
	})
}

func (l *lines) do(write func() error) {
	if l.err == nil {
		l.err = write()
	}
}

func decisionLine(d *candor.Decision) string {
	text := "decision " + d.ID + ", token " + output.Position(d.Token) + ", algorithm " + count(uint64(max(0, d.Algorithm)))
	if d.Place > 0 {
		text += ", place " + count(uint64(d.Place)) + " of its batch"
	}
	return text
}

// outcomeLines are what the best was chosen over, and what becomes of others.
func outcomeLines(d *candor.Decision) []string {
	var out []string
	if len(d.Best) > 1 {
		text := "Runner-up: " + d.Best[1].Node + ", "
		switch {
		case d.Margin != 0:
			text += fmt.Sprintf("%d less", d.Margin)
		case d.TieBreak != "":
			text += "the same; chosen by " + d.TieBreak
		default:
			text += "the same"
		}
		out = append(out, text)
	}
	if len(d.Victims) > 0 {
		out = append(out, "To be evicted for it: "+strings.Join(d.Victims, ", "))
	}
	if d.Refusal != "" {
		out = append(out, "Refused in its turn: "+d.Refusal)
	}
	return out
}

// verdicts are the nodes with what was found of them, or what is stored of that.
func (t *Teller) verdicts(x *candor.Explanation) error {
	switch {
	case len(x.Nodes) > 0:
		return t.nodes(x.Nodes)
	case x.Decision != nil:
		return t.stored(x.Decision)
	default:
		return nil
	}
}

func (t *Teller) nodes(all []candor.NodeVerdict) error {
	var fit, unfit []*candor.NodeVerdict
	for i := range all {
		if all[i].Fits {
			fit = append(fit, &all[i])
			continue
		}
		unfit = append(unfit, &all[i])
	}
	if len(fit) > 0 {
		table := output.NewTable(t.Out, t.Palette, "NODE", "VERDICT", "SCORE", "OF")
		for _, v := range fit {
			table.Row(nodesText(v.Nodes), "fits", fmt.Sprint(v.Score), partsText(v.Scores))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if len(unfit) == 0 {
		return nil
	}
	table := output.NewTable(t.Out, t.Palette, "NODE", "VERDICT", "REASON", "NEED", "HAVE")
	for _, v := range unfit {
		if len(v.Reasons) == 0 {
			table.Row(nodesText(v.Nodes), "no")
		}
		for i, m := range v.Reasons {
			if i == 0 {
				table.Row(nodesText(v.Nodes), "no", m.Reason, m.Need, m.Have)
				continue
			}
			table.Row(" ", " ", m.Reason, m.Need, m.Have)
		}
	}
	return table.Flush()
}

// stored is what a decision keeps without the verdicts.
func (t *Teller) stored(d *candor.Decision) error {
	if len(d.Best) > 0 {
		table := output.NewTable(t.Out, t.Palette, "NODE", "VERDICT", "SCORE")
		for _, c := range d.Best {
			table.Row(c.Node, "fits", fmt.Sprint(c.Score))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if len(d.Reasons) == 0 {
		return nil
	}
	table := output.NewTable(t.Out, t.Palette, "NODES", "VERDICT", "FIRST REASON")
	for _, r := range d.Reasons {
		table.Row(fmt.Sprint(r.Nodes), "no", r.Reason)
	}
	return table.Flush()
}

// mostNodes is how many nodes with one verdict are named.
const mostNodes = 6

func nodesText(names []string) string {
	if len(names) > mostNodes {
		return strings.Join(names[:mostNodes], ",") + fmt.Sprintf(",… (%d)", len(names))
	}
	return strings.Join(names, ",")
}

func partsText(parts []candor.ScorePart) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = fmt.Sprintf("%s %d × %d", p.Name, p.Score, p.Weight)
	}
	return strings.Join(texts, " + ")
}

func changesText(changes []candor.FittingChange) string {
	texts := make([]string, len(changes))
	for i, c := range changes {
		texts[i] = c.Change + " -> " + c.Node
	}
	return strings.Join(texts, " · ")
}

// link is one step of the chain: what, by whom, at which revision, and why.
func (t *Teller) link(l *candor.Link) string {
	c := l.Cause
	if c == nil {
		return l.Text
	}
	text := l.Text + " by " + t.actor(c.Actor)
	if c.Duty != "" {
		text += fmt.Sprintf(" under duty %s, era %d,", c.Duty, c.Era)
	}
	text += fmt.Sprintf(" at revision %d", l.Version.Revision)
	switch {
	case c.Reason != "" && c.Message != "":
		text += " (" + c.Reason + ": " + c.Message + ")"
	case c.Reason != "" || c.Message != "":
		text += " (" + c.Reason + c.Message + ")"
	}
	return text
}

func (t *Teller) actor(actor string) string {
	if id, ok := strings.CutPrefix(actor, string(candor.PartyServer)+"/"); ok {
		return names(t.Names).of(id)
	}
	return actor
}

// done is what controllers did, also where that was nothing.
func (t *Teller) done() error {
	if len(t.Done) == 0 {
		return nil
	}
	table := output.NewTable(t.Out, t.Palette, "CONTROLLER", "RESULT", "LOOKED AT", "WROTE", "FOUND", "CALLED FOR", "NEXT").States()
	for i := range t.Done {
		r := &t.Done[i]
		wrote := "nothing"
		if r.Revision != 0 {
			wrote = "revision " + count(r.Revision)
		}
		var causes []string
		for _, c := range r.Causes {
			causes = append(causes, fmt.Sprintf("%s at %d", c.Ref, c.Revision))
		}
		table.Row(r.Controller, r.Result, output.Position(r.Looked), wrote, r.Message, strings.Join(causes, ", "), r.Next)
	}
	return table.Flush()
}

func replayText(d *candor.Decision, r *candor.Replay) string {
	at := ""
	if d != nil {
		at = " on the state at " + output.Position(d.Token)
	}
	switch {
	case r.Same:
		return "Replayed" + at + ": same decision"
	case r.Reason == candor.ReasonReplayUnavailable:
		return "Could not be replayed" + at + " (" + string(r.Reason) + "): " + r.Message
	default:
		return "Replayed" + at + ": ANOTHER DECISION (" + string(r.Reason) + "): " + r.Message
	}
}
