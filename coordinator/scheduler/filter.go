package scheduler

import "github.com/candor-plane/candor"

// question is an instance that a node is sought for, on the model as it stands.
type question struct {
	*class
	inst *instance
	// least are the fewest in an eligible domain, per spread term.
	least []int64
	// nominated is where it is being made room, or nowhere.
	nominated int32
	scales    scales
}

// prepare gives the class its tallies, and the question its minima.
func (m *Model) prepare(q *question, c *class, inst *instance) {
	q.class, q.inst, q.nominated = c, inst, nowhere
	if inst.nominated != "" {
		if slot, ok := m.byName[inst.nominated]; ok {
			q.nominated = slot
		}
	}
	if !c.ready {
		for i := range c.near {
			c.near[i].tally = m.tallyOf(c.near[i].key)
		}
		for i := range c.spreads {
			c.spreads[i].tally = m.tallyOf(c.spreads[i].key)
		}
		c.over = m.tallyOf(c.zones)
		c.ready = true
	}
	m.weigh(c)
	for _, t := range c.shunned {
		m.settle(t)
	}
	for i := range c.near {
		m.settle(c.near[i].tally)
	}
	m.settle(c.over)
	q.least = q.least[:0]
	for i := range c.spreads {
		s := &c.spreads[i]
		m.settle(s.tally)
		m.admit(c, s)
		q.least = append(q.least, s.least())
	}
}

// admit finds the domains that count for a spread: those with a node that has the
// labels which the class asks for, whether or not it takes anything now.
func (m *Model) admit(c *class, s *spreadTerm) {
	if s.layout == m.layout && s.eligible != nil {
		return
	}
	s.layout, s.eligible = m.layout, make([]bool, len(s.tally.domains))
	for _, slot := range m.order {
		if d := s.tally.topology.of(slot); d >= 0 && !s.eligible[d] {
			s.eligible[d] = len(c.labelVerdicts(&m.nodes[slot], false)) == 0
		}
	}
}

func (s *spreadTerm) least() int64 {
	least := int64(-1)
	for d, ok := range s.eligible {
		if n := int64(s.tally.domains[d]); ok && (least < 0 || n < least) {
			least = n
		}
	}
	return max(least, 0)
}

// own is 1 if placing the instance raises the count itself.
func (s *spreadTerm) own() int64 {
	if s.self {
		return 1
	}
	return 0
}

// labelVerdicts are what speaks against the node's labels: the first, or all.
func (c *class) labelVerdicts(n *node, all bool) []verdict {
	var out []verdict
	for at, want := range c.selector {
		if have, ok := n.labels[want.key]; !ok || have != want.value {
			out = append(out, verdictOf(selectorMismatch, at))
			if !all {
				return out
			}
		}
	}
	for at, term := range c.terms {
		if term.selector.Matches(n.labels) == term.anti {
			out = append(out, verdictOf(affinityMismatch, at))
			if !all {
				return out
			}
		}
	}
	return out
}

// staticVerdicts depend on the class and the node's version alone.
func (c *class) staticVerdicts(n *node, all bool) []verdict {
	out := c.labelVerdicts(n, all)
	if len(out) > 0 && !all {
		return out
	}
	for at, taint := range n.taints {
		if taint.Effect != candor.PreferNoSchedule && !c.tolerates(taint) {
			out = append(out, verdictOf(taintNotTolerated, at))
		}
	}
	for _, s := range [...]struct {
		so   bool
		code code
	}{
		{n.terminating, nodeTerminating}, {n.drain, nodeDraining}, {n.unschedulable && !n.drain, nodeUnschedulable},
		{!n.ready, notReady}, {!n.known, capacityUnknown},
	} {
		if s.so {
			out = append(out, verdictOf(s.code, 0))
		}
	}
	return out
}

func (c *class) tolerates(taint candor.Taint) bool {
	for _, t := range c.template.spec.Tolerations {
		if t.Tolerates(taint) {
			return true
		}
	}
	return false
}

// judge fills the cell of a node.
func (c *class) judge(n *node, version uint64, into *cell) {
	*into = cell{version: version, taints: 100}
	if found := c.staticVerdicts(n, false); len(found) > 0 {
		into.verdict = found[0]
		return
	}
	for _, term := range c.wishes {
		if term.selector.Matches(n.labels) != term.anti {
			into.affinity += term.weight
		}
	}
	unwanted := 0
	for _, taint := range n.taints {
		if taint.Effect == candor.PreferNoSchedule && !c.tolerates(taint) {
			unwanted++
		}
	}
	if unwanted > 0 {
		into.taints = uint8(50 / unwanted)
	}
}

// static is the first static verdict, from the cache where it is right.
func (m *Model) static(c *class, slot int32) *cell {
	if int(slot) >= len(c.cells) {
		c.cells = append(c.cells, make([]cell, len(m.nodes)-len(c.cells))...)
	}
	at := &c.cells[slot]
	if version := m.hot[slot].version; at.version != version {
		c.judge(&m.nodes[slot], version, at)
	}
	return at
}

// shortage is the first request for which too little is free. It fills the cell.
func (m *Model) shortage(q *question, slot int32, at *cell) verdict {
	if at.filled != m.filled[slot] {
		m.fill(q, slot, at)
	}
	if m.hot[slot].nominations > 0 {
		return m.shortageBeside(q, slot)
	}
	return at.short
}

// shortageAlone asks the row alone.
func (m *Model) shortageAlone(q *question, slot int32) verdict {
	row := m.free[int(slot)*m.stride:][:m.stride]
	for at := range q.requests {
		if r := &q.requests[at]; r.at == unplaced || r.amount > row[r.at] {
			return verdictOf(insufficient, at)
		}
	}
	return 0
}

// shortageBeside respects what is nominated for others.
func (m *Model) shortageBeside(q *question, slot int32) verdict {
	for at := range q.requests {
		if m.available(q, slot, at) < q.requests[at].amount {
			return verdictOf(insufficient, at)
		}
	}
	return 0
}

// available is what is free of the request's resource for this instance: less what is
// being made free for others of no less priority.
func (m *Model) available(q *question, slot int32, at int) int64 {
	if q.requests[at].at == unplaced {
		return 0
	}
	free := m.free[int(slot)*m.stride+q.requests[at].at]
	if m.hot[slot].nominations == 0 {
		return free
	}
	for _, other := range m.nominations[m.nodes[slot].name] {
		if other == q.inst || other.class.priority < q.priority {
			continue
		}
		m.find(other.class.requests)
		for _, r := range other.class.requests {
			if r.at == q.requests[at].at && free > 0 {
				free -= r.amount
			}
		}
	}
	return free
}

// topological are the verdicts that counts over domains give.
func (m *Model) topological(q *question, slot int32, all bool, out []verdict) []verdict {
	for at := range q.spreads {
		s := &q.spreads[at]
		if s.prefer {
			continue
		}
		count, in := s.tally.near(slot)
		if !in || int64(count)+s.own()-q.least[at] > s.maxSkew {
			out = append(out, verdictOf(spreadExceeded, at))
			if !all {
				return out
			}
		}
	}
	for at := range q.near {
		n := &q.near[at]
		if n.weight > 0 || n.met(slot) {
			continue
		}
		reason := instanceAffinity
		if n.anti {
			reason = instanceAnti
		}
		out = append(out, verdictOf(reason, at))
		if !all {
			return out
		}
	}
	for _, t := range q.shunned {
		if count, _ := t.near(slot); count > 0 {
			return append(out, verdictOf(shunned, 0))
		}
	}
	return out
}

// met says whether the affinity holds on a slot. The first of instances that want one
// another may go anywhere where there is a domain.
func (n *instanceTerm) met(slot int32) bool {
	count, in := n.tally.near(slot)
	if n.anti {
		return !in || count == 0
	}
	return in && (count > 0 || n.self && n.tally.total == 0)
}

// first is the first thing that speaks against a slot.
func (m *Model) first(q *question, slot int32) verdict {
	at := m.static(q.class, slot)
	if at.verdict != 0 {
		return at.verdict
	}
	return m.dynamic(q, slot, at)
}

func (m *Model) dynamic(q *question, slot int32, at *cell) verdict {
	if v := m.shortage(q, slot, at); v != 0 {
		return v
	}
	if len(q.spreads) == 0 && len(q.near) == 0 && len(q.shunned) == 0 {
		return 0
	}
	var one [1]verdict
	if found := m.topological(q, slot, false, one[:0]); len(found) > 0 {
		return found[0]
	}
	return 0
}

// every is all that speaks against a slot, in the order of the filters.
func (m *Model) every(q *question, slot int32) []verdict {
	n := &m.nodes[slot]
	out := q.staticVerdicts(n, true)
	if n.known {
		for at := range q.requests {
			if m.available(q, slot, at) < q.requests[at].amount {
				out = append(out, verdictOf(insufficient, at))
			}
		}
	}
	return m.topological(q, slot, true, out)
}
