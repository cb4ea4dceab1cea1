package transitionmodel

import (
	"bytes"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
)

// Key is what the future depends on. Revisions stand for their order, a configuration
// for whether it is the newest.
func (m *Model) Key(key []byte, w World) []byte {
	var scratch [64]uint64
	e := encoder{w: &w, ranks: scratch[:0], collects: true}
	e.world()
	slices.Sort(e.ranks)
	e.ranks = slices.Compact(e.ranks)
	e.b, e.collects = key, false
	e.world()
	return e.b
}

// encoder goes through a world twice: for the revisions that count, and for the key.
type encoder struct {
	w        *World
	ranks    []uint64
	collects bool
	b        []byte
}

func (e *encoder) put(v ...byte) {
	if !e.collects {
		e.b = append(e.b, v...)
	}
}

func (e *encoder) flag(set bool) {
	if set {
		e.put(1)
		return
	}
	e.put(0)
}

func (e *encoder) text(s string) {
	e.put(byte(len(s)))
	if !e.collects {
		e.b = append(e.b, s...)
	}
}

func (e *encoder) revision(r uint64) {
	if e.collects {
		e.ranks = append(e.ranks, r)
		return
	}
	at, _ := slices.BinarySearch(e.ranks, r)
	e.put(byte(at))
}

func (e *encoder) world() {
	w := e.w
	e.text(w.Leader)
	e.put(byte(w.Asked), byte(w.NewEras))
	for _, s := range w.Servers {
		e.text(s.ID)
		e.flag(s.Voter)
		e.flag(s.Silent)
		e.flag(s.Behind)
		e.text(s.Address)
	}
	for _, s := range w.Slots {
		e.text(string(s.Kind))
		e.text(s.Target)
		e.pending(&s.Pending)
		e.ended(&s.Ended)
	}
	for i := range w.Processes {
		e.process(&w.Processes[i])
	}
	e.wire()
}

func (e *encoder) pending(r *transition.Record) {
	e.flag(!r.IsZero())
	if r.IsZero() {
		return
	}
	e.revision(r.Planned)
	e.flag(r.Shown != 0)
	at := e.w.object(r.ID)
	if at < 0 {
		return
	}
	o := &e.w.Objects[at]
	e.flag(o.Happened)
	e.text(string(o.Plan.Intent))
	e.text(string(o.Plan.Retry))
	e.parent(o.Plan.Parent)
}

// parent is by the revision that planned it; of one that has ended it is enough that it
// has.
func (e *encoder) parent(id string) {
	at := e.w.object(id)
	switch {
	case id == "":
		e.put(0)
	case at < 0 || e.w.Objects[at].Status.Phase.Terminal():
		e.put(1)
	default:
		e.put(2)
		e.revision(e.w.Objects[at].Plan.Revision)
	}
}

func (e *encoder) ended(r *transition.Record) {
	e.flag(!r.IsZero())
	if r.IsZero() {
		return
	}
	e.revision(r.Planned)
	e.revision(r.Ended)
	e.text(string(r.Phase))
	if at := e.w.object(r.ID); at >= 0 {
		e.text(string(e.w.Objects[at].Plan.Intent))
	}
}

func (e *encoder) process(p *Process) {
	e.flag(p.Era != 0)
	if p.Era == 0 {
		return
	}
	e.flag(p.Era == e.w.Era)
	e.text(p.Node)
	e.flag(p.Call != nil)
	if p.Call == nil {
		return
	}
	e.call(p.Call)
	e.revision(p.Seen.Token.Revision)
	e.text(p.Seen.Leader)
	for i := range p.Seen.Pending {
		e.identity(&p.Seen.Pending[i].Plan)
	}
	for i := range p.Answers {
		e.answer(&p.Answers[i])
	}
}

func (e *encoder) answer(a *answer) {
	e.text(string(a.verdict.Phase))
	if a.err != nil {
		e.text(string(candor.ReasonOf(a.err)))
		return
	}
	c := &a.members
	e.flag(c.Index == e.w.Configuration)
	e.text(c.Leader)
	for _, s := range c.Servers {
		e.text(s.ID)
		e.text(s.Address)
		e.flag(s.Voter)
		e.flag(s.Answers)
		e.put(byte(s.Applied))
	}
}

func (e *encoder) call(c *call) {
	e.put(byte(c.word))
	switch c.word {
	case callPlan:
		e.plan(&c.plan)
	case callEnd:
		e.identity(&c.plan)
		e.text(string(c.phase))
	default:
		e.text(c.server)
		e.text(c.address)
		e.flag(c.configuration == e.w.Configuration)
		e.flag(c.force)
		for _, id := range c.silent {
			e.text(id)
		}
	}
}

// identity is of a transition that may have ended and been followed by another since.
func (e *encoder) identity(p *transition.Plan) {
	e.revision(p.Revision)
	e.text(string(p.Kind))
	e.text(p.Target)
	e.text(string(p.Intent))
	e.parent(p.Parent)
}

func (e *encoder) plan(p *transition.Plan) {
	e.text(string(p.Kind))
	e.text(p.Target)
	e.text(string(p.Intent))
	e.text(string(p.Retry))
	e.parent(p.Parent)
	e.revision(p.Source.Revision)
	e.flag(p.Configuration == e.w.Configuration)
	e.flag(p.Configuration == 0)
}

// wire writes the messages in an order that does not depend on when they were sent.
func (e *encoder) wire() {
	if e.collects {
		for i := range e.w.Wire {
			e.message(&e.w.Wire[i])
		}
		return
	}
	key := e.b
	parts := make([][]byte, 0, 4)
	for i := range e.w.Wire {
		e.b = nil
		e.message(&e.w.Wire[i])
		parts = append(parts, e.b)
	}
	slices.SortFunc(parts, bytes.Compare)
	e.b = append(key, byte(len(parts)))
	for _, p := range parts {
		e.b = append(append(e.b, byte(len(p))), p...)
	}
}

func (e *encoder) message(msg *Message) {
	e.put(byte(msg.Request), byte(e.w.waits(msg)+1))
	e.flag(msg.Applied)
	e.flag(msg.Era == e.w.Era)
	if msg.Call != nil {
		e.call(msg.Call)
		return
	}
	x := msg.Event
	e.text(string(x.Type))
	if msg.Plan != nil {
		e.plan(msg.Plan)
		return
	}
	e.text(string(x.Kind))
	e.text(x.Target)
	e.text(string(x.Phase))
	e.put(x.Intent[0], x.Intent[1], x.Intent[2], x.Intent[3])
	e.revision(x.Planned)
	e.revision(x.Expect)
	if at := e.w.object(x.SupersededBy); at >= 0 {
		e.revision(e.w.Objects[at].Plan.Revision)
	}
	if at := e.w.object(msg.Means); at >= 0 {
		e.revision(e.w.Objects[at].Plan.Revision)
	}
}
