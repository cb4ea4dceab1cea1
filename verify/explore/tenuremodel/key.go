package tenuremodel

import (
	"bytes"
	"slices"

	"github.com/candor-plane/candor/fsm/tenure"
)

// Key is the smallest of the keys under every renaming of the holders: rules treat
// them alike. Within bounds that are Named it is the one under their own names.
func (m *Model) Key(key []byte, w World) []byte {
	start := len(key)
	var scratch [512]byte
	under := renamings[m.Bounds.Holders]
	if m.Bounds.Named {
		under = under[:1]
	}
	for i, as := range under {
		e := encoder{m: m, w: &w, as: as, b: scratch[:0]}
		e.world()
		if i == 0 || bytes.Compare(e.b, key[start:]) < 0 {
			key = append(key[:start], e.b...)
		}
	}
	return key
}

var renamings = [maxHolders + 1][][maxHolders]byte{
	1: {{0}},
	2: {{0, 1}, {1, 0}},
	3: {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}},
}

// encoder writes a world with each holder under another's name.
type encoder struct {
	m  *Model
	w  *World
	as [maxHolders]byte
	b  []byte
}

const (
	none    = 0xff
	foreign = 0xfe
)

func (e *encoder) put(v uint64) { e.b = append(e.b, byte(v)) }

func (e *encoder) flag(set bool) {
	if set {
		e.put(1)
		return
	}
	e.put(0)
}

func (e *encoder) holder(name string) {
	at := slices.Index(names[:], name)
	if at < 0 {
		e.put(none)
		return
	}
	e.b = append(e.b, e.as[at])
}

// ahead is how many ticks a time lies ahead of now; 0 when it is past.
func ahead(time, now int64) uint64 { return uint64(max(time-now, 0)) }

func (e *encoder) world() {
	w := e.w
	e.current(&w.Lineage.Current)
	e.put(uint64(len(w.Lineage.Unfinished)))
	for i := range w.Lineage.Unfinished {
		x := &w.Lineage.Unfinished[i]
		e.put(x.Number)
		e.flag(x.State == tenure.StateSealed)
		e.flag(x.State == tenure.StateActive)
		e.put(e.m.value(x.Usage))
	}
	if e.m.Bounds.Leaders {
		e.b = append(e.b, e.as[w.Leader])
	}
	e.put(w.Used)
	e.put(w.Used >> 8)
	e.put(w.Highest)
	e.put(w.Seen)
	e.put(w.Ended)
	for at := range byte(e.m.Bounds.Holders) {
		h := bytes.IndexByte(e.as[:], at)
		e.process(&w.Processes[h], h)
	}
	e.wire()
	answers := w.Answers
	if len(answers) > 1 {
		answers = slices.Clone(answers)
		slices.SortFunc(answers, func(a, b Answer) int { return int(a.Value) - int(b.Value) })
	}
	for _, a := range answers {
		e.put(a.Era)
		e.put(a.Value)
	}
}

// wire writes the messages in an order that does not depend on when they were sent.
func (e *encoder) wire() {
	e.put(uint64(len(e.w.Wire)))
	start := len(e.b)
	ends := make([]int, 0, 8)
	for i := range e.w.Wire {
		e.message(&e.w.Wire[i])
		ends = append(ends, len(e.b))
	}
	if len(ends) == 2 && bytes.Compare(e.b[start:ends[0]], e.b[ends[0]:]) > 0 {
		first := string(e.b[start:ends[0]])
		e.b = append(append(e.b[:start], e.b[ends[0]:]...), first...)
	}
}

// current is the era that counts, as far as it does: what only the repeat of a
// finished command is answered from is left out, for nobody hears a difference.
func (e *encoder) current(x *tenure.Era) {
	e.put(x.Number)
	switch x.State {
	case tenure.StateActive:
		e.put(1)
		e.holder(x.Holder)
		e.put(e.m.value(x.Start))
		e.put(e.m.value(x.Bound))
		e.put(ahead(x.RenewedUntil/tick, e.w.Clock))
		e.flag(x.RenewedTerm == e.w.Term)
	case tenure.StateSealed:
		e.put(2)
		e.put(e.m.value(x.Usage))
		if x.Successor != "" && x.SuccessorUntil/tick > e.w.Clock {
			e.holder(x.Successor)
			e.put(ahead(x.SuccessorUntil/tick, e.w.Clock))
		}
	default:
		e.put(3)
		e.holder(x.Holder)
		e.put(e.m.value(x.Usage))
	}
}

func (e *encoder) process(p *Process, h int) {
	e.put(p.Era)
	if p.Era == 0 {
		e.event(p.Campaign, h)
		if e.m.timestamps() && p.Campaign != nil {
			e.put(ahead(p.AskedAt+e.m.Bounds.Lasts, e.w.Real))
		}
		return
	}
	e.event(p.Leaving, h)
	e.put(p.Window.Used)
	e.put(p.Window.Bound)
	if e.m.timestamps() {
		e.put(ahead(p.RenewSent+e.m.Bounds.Lasts, e.w.Real))
	}
}

func (e *encoder) message(m *Message) {
	e.flag(m.Orphan)
	e.put(m.Write)
	// Without a belief, when a write was sent counts for nothing.
	if e.m.timestamps() && !m.Orphan {
		e.put(ahead(m.SentAt+e.m.Bounds.Lasts, e.w.Real))
	}
	e.b = append(e.b, e.as[m.From])
	e.event(m.Event, m.From)
}

// event leaves out the candidacy: what counts is whether it won the active era and
// whether its sender waits for it.
func (e *encoder) event(event tenure.Event, from int) {
	candidacy := ""
	switch x := event.(type) {
	case nil:
		e.put(none)
		return
	case tenure.Campaign:
		e.put(1)
		e.put(x.Expect)
		e.put(e.m.value(x.Start))
		e.cite(x.Cite)
		candidacy = x.Candidacy
	case tenure.Reattach:
		e.put(2)
		e.put(x.Era)
		e.cite(x.Cite)
		candidacy = x.Candidacy
	case tenure.Renew:
		e.put(3)
		e.put(x.Era)
	case tenure.Reserve:
		e.put(4)
		e.put(x.Era)
		e.put(e.m.value(x.Bound))
	case tenure.Seal:
		e.put(5)
		e.put(x.Era)
		e.put(e.m.value(x.Usage))
		e.holder(x.To)
	case tenure.Release:
		e.put(6)
		e.put(x.Era)
		e.put(e.m.value(x.Usage))
	case tenure.Confirm:
		e.put(7)
		e.put(x.Era)
		e.put(x.Predecessor)
		e.cite(x.Cite)
	case tenure.Close:
		e.put(8)
		e.put(x.Era)
		e.put(x.Predecessor)
	}
	if candidacy != "" {
		e.flag(e.w.Lineage.Current.Candidacy == candidacy && e.w.Lineage.Current.Holder == names[from])
		e.flag(e.w.Processes[from].Campaign == event)
	}
}

// cite is the number of the era whose seal it is. One that is kept no more cites
// nothing that counts.
func (e *encoder) cite(seal tenure.Digest) {
	if seal.IsZero() {
		e.put(0)
		return
	}
	l := e.w.Lineage
	if l.Current.Seal == seal {
		e.put(l.Current.Number)
		return
	}
	for i := range l.Unfinished {
		if x := &l.Unfinished[i]; x.Seal == seal {
			e.put(x.Number)
			return
		}
	}
	e.put(foreign)
}
