package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// explain runs every filter on every node, puts nodes with equal rows together, and
// says what would change the outcome.
func (m *Model) explain(q *question, s *survey, out *Outcome) *candor.Explanation {
	e := &candor.Explanation{
		Subject:  candor.VersionRef{Ref: out.Ref, Revision: out.Revision},
		Decision: &out.Decision,
		Nodes:    m.rows(q),
	}
	d := &out.Decision
	name := person(out.Ref)
	switch d.Verdict {
	case candor.VerdictPlaced:
		e.Headline = fmt.Sprintf("%s goes to %s: %d of %s fit", name, d.Node, s.fit, many(d.Considered, "node"))
		e.Facts = append(e.Facts, runnerUp(d))
	case candor.VerdictNominated:
		e.Headline = fmt.Sprintf("%s waits for %s, which is being made free", name, d.Node)
		for _, v := range out.Victims {
			e.Facts = append(e.Facts, fmt.Sprintf("%s (priority %d) gives way to priority %d", person(v.Ref), v.Priority, q.priority))
		}
		if len(out.Victims) == 0 {
			e.Facts = append(e.Facts, "it fits there once the instances that are ending have ended")
		}
		e.Next = "when the instances that give way have ended, or the spec changes"
	default:
		e.Headline = fmt.Sprintf("%s is Pending: 0 of %s fit", name, many(d.Considered, "node"))
		e.Changes = m.smallest(q)
		e.Next = next(d)
		if q.preempts {
			e.Facts = append(e.Facts, "no instances of less priority may give way so that it would fit")
		}
	}
	return e
}

// rows judge all nodes; those that fit come first, by score.
func (m *Model) rows(q *question) []candor.NodeVerdict {
	type row struct {
		candor.NodeVerdict
		key string
	}
	var rows []*row
	same := map[string]*row{}
	for _, slot := range m.order {
		fresh := &row{}
		if found := m.every(q, slot); len(found) > 0 {
			for _, v := range found {
				fresh.Reasons = append(fresh.Reasons, m.misfit(q, slot, v))
			}
		} else {
			var s score
			m.rate(q, slot, m.static(q.class, slot), &s)
			fresh.Fits, fresh.Score, fresh.Scores = true, s.total(), s.named(q)
		}
		fresh.key = fmt.Sprintf("%v\x00%d\x00%v\x00%q", fresh.Fits, fresh.Score, fresh.Scores, fresh.Reasons)
		if old := same[fresh.key]; old != nil {
			old.Nodes = append(old.Nodes, m.nodes[slot].name)
			continue
		}
		fresh.Nodes = []string{m.nodes[slot].name}
		same[fresh.key] = fresh
		rows = append(rows, fresh)
	}
	slices.SortStableFunc(rows, func(a, b *row) int { return cmp.Compare(b.Score, a.Score) })
	slices.SortStableFunc(rows, func(a, b *row) int { return cmp.Compare(unfit(a.Fits), unfit(b.Fits)) })
	out := make([]candor.NodeVerdict, len(rows))
	for i, r := range rows {
		out[i] = r.NodeVerdict
	}
	return out
}

func unfit(fits bool) int {
	if fits {
		return 0
	}
	return 1
}

// named are the parts that can differ between nodes for this class.
func (s *score) named(q *question) []candor.ScorePart {
	var out []candor.ScorePart
	for i := range parts {
		if i == spread && q.scales.wishes == 0 || i == affinity && q.wanted == 0 || i == nominated && q.nominated == nowhere {
			continue
		}
		out = append(out, candor.ScorePart{Name: partNames[i], Score: int64(s[i]), Weight: weights[i]})
	}
	return out
}

// misfit says what is needed and what there is.
func (m *Model) misfit(q *question, slot int32, v verdict) candor.Misfit {
	n := &m.nodes[slot]
	out := candor.Misfit{Reason: q.reason(v)}
	switch v.code() {
	case selectorMismatch:
		want := q.selector[v.at()]
		out.Need = want.key + "=" + want.value
		out.Have = labelText(n, want.key)
	case affinityMismatch:
		term := q.terms[v.at()]
		out.Need, out.Have = term.text, "its labels do not match"
		if term.anti {
			out.Need, out.Have = "not "+term.text, "its labels match"
		}
	case taintNotTolerated:
		out.Need, out.Have = "no such taint, or a toleration", n.taints[v.at()].String()
	case nodeTerminating:
		out.Need, out.Have = "a node that stays", "it is being deleted"
	case nodeDraining:
		out.Need, out.Have = "a node that takes instances", "it is being drained"
	case nodeUnschedulable:
		out.Need, out.Have = "a node that takes instances", "it is cordoned"
	case notReady:
		out.Need, out.Have = "Ready", n.notReady
	case capacityUnknown:
		out.Need, out.Have = "a known capacity", "its worker has reported none"
	case insufficient:
		r := q.requests[v.at()]
		out.Need, out.Have = amountText(r.name, r.amount), m.freeText(q, slot, v.at())
	case spreadExceeded:
		s := &q.spreads[v.at()]
		out.Need = fmt.Sprintf("at most %d more in its %s than in the emptiest", s.maxSkew, s.key.topology)
		out.Have = "no label " + s.key.topology
		if count, in := s.tally.near(slot); in {
			out.Have = fmt.Sprintf("%d in %s, %d in the emptiest", count, labelText(n, s.key.topology), q.least[v.at()])
		}
	case instanceAffinity, instanceAnti:
		out.Need, out.Have = m.nearText(q, slot, v)
	default:
		out.Need, out.Have = "no instance near that keeps it away", m.shunnerText(q, slot)
	}
	return out
}

func labelText(n *node, key string) string {
	if value, ok := n.labels[key]; ok {
		return key + "=" + value
	}
	return "no label " + key
}

func (m *Model) nearText(q *question, slot int32, v verdict) (need, have string) {
	term := &q.near[v.at()]
	need = fmt.Sprintf("%s in the same %s", term.key.selector, term.key.topology)
	count, in := term.tally.near(slot)
	where := labelText(&m.nodes[slot], term.key.topology)
	switch {
	case term.anti:
		return "no " + need, fmt.Sprintf("%d in %s", count, where)
	case !in:
		return need, where
	default:
		return need, "none in " + where
	}
}

// shunnerText names the first by key who keeps the instance away.
func (m *Model) shunnerText(q *question, slot int32) string {
	var first *instance
	for _, t := range q.shunned {
		d := t.topology.of(slot)
		if d < 0 || t.domains[d] == 0 {
			continue
		}
		for _, other := range m.order {
			if t.topology.of(other) != d {
				continue
			}
			for _, r := range m.nodes[other].residents {
				if slices.Contains(r.class.adds, t) && (first == nil || r.ref.Key() < first.ref.Key()) {
					first = r
				}
			}
		}
	}
	if first == nil {
		return "somebody there keeps it away"
	}
	return person(first.ref) + " wants none of these near"
}

// freeText is "3.5 GiB free (2.0 GiB held by instance/report-0)".
func (m *Model) freeText(q *question, slot int32, at int) string {
	r := q.requests[at]
	text := amountText(r.name, max(m.available(q, slot, at), 0)) + " free"
	if r.at == unplaced || m.capacity[int(slot)*m.stride+r.at] == 0 {
		return "none there"
	}
	type holder struct {
		ref    candor.Ref
		amount int64
		how    string
	}
	var holders []holder
	add := func(i *instance, how string) {
		m.find(i.class.requests)
		for _, have := range i.class.requests {
			if have.at == r.at {
				holders = append(holders, holder{i.ref, have.amount, how})
			}
		}
	}
	for _, i := range m.nodes[slot].residents {
		how := "held by"
		if i.ending {
			how = "still held by"
		}
		add(i, how)
	}
	for _, i := range m.nominations[m.nodes[slot].name] {
		if i != q.inst && i.class.priority >= q.priority {
			add(i, "kept for")
		}
	}
	if len(holders) == 0 {
		return text
	}
	slices.SortFunc(holders, func(a, b holder) int {
		return cmp.Or(cmp.Compare(b.amount, a.amount), strings.Compare(a.ref.Key(), b.ref.Key()))
	})
	text += " (" + amountText(r.name, holders[0].amount) + " " + holders[0].how + " " + person(holders[0].ref)
	if len(holders) > 1 {
		text += ", and " + many(len(holders)-1, "other")
	}
	return text + ")"
}

// amountText is exact: tenths of GiB where the amount is so many, else the quantity.
func amountText(name string, amount int64) string {
	if name == candor.ResourceMemory && amount >= 1<<30 && amount <= 1<<50 && amount*10%(1<<30) == 0 {
		return strconv.FormatInt(amount>>30, 10) + "." + strconv.FormatInt(amount*10>>30%10, 10) + " GiB"
	}
	return candor.FormatAmount(name, amount)
}

// person is "instance/web-3"; the namespace is said where it is not the default one.
func person(ref candor.Ref) string {
	kind := strings.TrimSuffix(ref.Kind.Plural(), "s")
	if ref.Namespace == "" || ref.Namespace == "default" {
		return kind + "/" + ref.Name
	}
	return kind + "/" + ref.Key()
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func runnerUp(d *candor.Decision) string {
	switch {
	case len(d.Best) == 1:
		return "no other node fits"
	case d.Margin > 0:
		return fmt.Sprintf("the runner-up is %s, with %d less", d.Best[1].Node, d.Margin)
	default:
		return fmt.Sprintf("the runner-up is %s, with the same score; %s chose", d.Best[1].Node, d.TieBreak)
	}
}

// next says what the instance waits for.
func next(d *candor.Decision) string {
	if d.Considered == 0 {
		return "when there is a node, or the spec changes"
	}
	var waits []string
	for _, r := range d.Reasons {
		text := "what is counted near a node changes"
		switch r.Reason {
		case MisfitSelector, MisfitAffinity:
			text = "a node's labels change"
		case MisfitTaint:
			text = "a node's taints change"
		case MisfitDraining, MisfitUnschedulable:
			text = "a node takes instances again"
		case MisfitNotReady, MisfitTerminating:
			text = "a node becomes ready"
		case MisfitCapacityUnknown:
			text = "a worker reports its capacity"
		case MisfitSpread, MisfitInstanceAffinity, MisfitInstanceAnti, MisfitShunned:
		default:
			text = "a node has more room"
		}
		if !slices.Contains(waits, text) {
			waits = append(waits, text)
		}
	}
	return "when " + strings.Join(append(waits, "the spec changes"), ", or ")
}
