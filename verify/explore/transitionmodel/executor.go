package transitionmodel

import (
	"context"
	"encoding/binary"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// word is what an executor asks for.
type word uint8

const (
	callConfiguration word = iota
	callPlan
	callEnd
	callAdd
	callPromote
	callRemove
	callTransfer
)

var words = [...]string{"configuration", "plan", "end", "add", "promote", "remove", "transfer"}

// call is one that an executor waits for.
type call struct {
	word   word
	server string
	// Of a change of members.
	address       string
	configuration uint64
	force         bool
	// silent are who did not answer when it was judged.
	silent []string
	// Of the root.
	plan   transition.Plan
	phase  transition.Phase
	report transition.Journal
}

// answer is what an executor hears.
type answer struct {
	members topology.Configuration
	verdict transition.Verdict
	err     error
}

var (
	errUnknown   = candor.Errorf(candor.ReasonOutcomeUnknown, "nobody knows")
	errNotLeader = candor.Errorf(candor.ReasonNotLeader, "another leads")
	errOver      = candor.Errorf(candor.ReasonCanceled, "the round is over")
)

// resume has production's executor take a round up to what it asks for after the
// answers that it has had; nil where the round is over. Executors remember of earlier
// rounds no more than when to try again: here they may at any time.
func (m *Model) resume(p *Process) *call {
	if m.known == nil {
		m.known = map[string]*call{}
	}
	m.scratch = p.heard(m.scratch[:0])
	c, known := m.known[string(m.scratch)]
	if !known {
		c = execute(p)
		m.known[string(m.scratch)] = c
	}
	if c == nil {
		return nil
	}
	again := *c
	return &again
}

// heard appends all that a round depends on.
func (p *Process) heard(b []byte) []byte {
	text := func(s string) { b = append(append(b, byte(len(s))), s...) }
	number := func(n uint64) { b = binary.AppendUvarint(b, n) }
	flag := func(set bool) {
		if set {
			number(1)
			return
		}
		number(0)
	}
	number(p.Era)
	text(p.Node)
	number(p.Seen.Token.Revision)
	text(p.Seen.Leader)
	number(uint64(len(p.Seen.Pending)))
	for i := range p.Seen.Pending {
		x := &p.Seen.Pending[i].Plan
		number(x.Revision)
		text(string(x.Kind))
		text(x.Target)
		text(string(x.Intent))
		text(string(x.Retry))
		text(x.Parent)
	}
	for i := range p.Answers {
		a := &p.Answers[i]
		text(string(a.verdict.Phase))
		text(string(a.verdict.Action))
		flag(a.err != nil)
		if a.err != nil {
			text(string(candor.ReasonOf(a.err)))
		}
		number(a.members.Index)
		text(a.members.Leader)
		number(uint64(len(a.members.Servers)))
		for _, s := range a.members.Servers {
			text(s.ID)
			text(s.Address)
			flag(s.Voter)
			flag(s.Answers)
			number(s.Applied)
		}
	}
	return b
}

func execute(p *Process) *call {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	r := &recorded{process: p, stop: stop}
	x := topology.NewExecutor(r, r, hclog.NewNullLogger())
	_ = x.Run(ctx, &coordinator.Grant{Duty: tenure.Duty{Name: x.Name()}, Era: p.Era, Holder: "server/" + p.Node})
	return r.asked
}

// recorded is the root and the members as a process has heard them.
type recorded struct {
	process *Process
	heard   int
	// begun: the round has. changed: the members were, and the clock is looked at.
	begun, changed bool
	asked          *call
	stop           context.CancelFunc
}

var over = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func (r *recorded) Pending() (topology.Seen, <-chan struct{}) {
	if r.changed || !r.begun {
		r.begun, r.changed = true, false
		return r.process.Seen, over
	}
	r.stop()
	return topology.Seen{}, over
}

func (r *recorded) ask(c call) answer {
	switch {
	case r.asked != nil:
		return answer{err: errOver}
	case r.heard < len(r.process.Answers):
		r.heard++
		return r.process.Answers[r.heard-1]
	default:
		r.asked = &c
		r.stop()
		return answer{err: errOver}
	}
}

func (r *recorded) change(c call) error {
	a := r.ask(c)
	r.changed = a.err == nil && c.word != callTransfer
	return a.err
}

func (r *recorded) Plan(_ context.Context, _ uint64, p *transition.Plan) (transition.Verdict, error) {
	a := r.ask(call{word: callPlan, plan: *p})
	return a.verdict, a.err
}

func (r *recorded) End(_ context.Context, _ uint64, p *transition.Plan, phase transition.Phase, report *transition.Journal) error {
	return r.ask(call{word: callEnd, plan: *p, phase: phase, report: *report}).err
}

func (r *recorded) Configuration(context.Context) (topology.Configuration, error) {
	a := r.ask(call{word: callConfiguration})
	return a.members, a.err
}

func (r *recorded) Add(_ context.Context, server, address string, configuration uint64) error {
	return r.change(call{word: callAdd, server: server, address: address, configuration: configuration})
}

func (r *recorded) Promote(_ context.Context, server string, configuration uint64) error {
	return r.change(call{word: callPromote, server: server, configuration: configuration})
}

func (r *recorded) Remove(_ context.Context, server string, configuration uint64, force bool) error {
	return r.change(call{word: callRemove, server: server, configuration: configuration, force: force})
}

func (r *recorded) Transfer(_ context.Context, server string) error {
	return r.change(call{word: callTransfer, server: server})
}
