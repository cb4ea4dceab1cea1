package sim

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/verify/history"
)

const (
	kindRegisters = candor.KindName("registers.sim")
	namespace     = "default"
	// attempts is how often a client asks before it gives up.
	attempts = 5
)

// client keeps a session and does one thing at a time.
type client struct {
	w        *world
	name     string
	contact  int
	requests int
	busy     bool
	// session is the highest token that an answer has shown.
	session candor.Token
	// loses: the next answer does not come.
	loses bool
	// last is the newest request that may be repeated.
	last *command.Command
	// copied: a copy of it is on its way.
	copied bool
}

func registerRef(key int) candor.Ref {
	return candor.Ref{Kind: kindRegisters, Namespace: namespace, Name: fmt.Sprintf("k%d", key+1)}
}

// server is whom the client talks to; nil when that one is down, and then another is
// next.
func (c *client) server() *server {
	s := c.w.servers[c.contact%len(c.w.servers)]
	if !s.up || s.pausedUntil > c.w.now {
		c.contact++
		return nil
	}
	return s
}

// act begins an operation of the recorded history, unless one is under way.
func (c *client) act(do Do, d *dice) {
	if c.busy {
		return
	}
	switch do {
	case DoRegister:
		c.write(d)
	case DoTxn:
		c.transact(d)
	default:
		c.read(d)
	}
}

func (c *client) write(d *dice) {
	ref := registerRef(d.upto(c.w.Keys))
	value := c.next()
	o := &candor.Object{APIVersion: "sim/v1", Kind: "Register", Spec: []byte(`"` + value + `"`), Metadata: candor.Metadata{Name: ref.Name, Namespace: ref.Namespace}}
	op := command.Operation{Verb: command.VerbUpdate, Kind: ref.Kind, Object: o, KindRevision: c.w.kinds[ref.Kind]}
	item := history.Item{Key: history.Key(ref), Value: value}
	kind := history.KindUpdate
	switch d.upto(8) {
	case 0, 1, 2:
		kind, op.Verb = history.KindCreate, command.VerbCreate
		o.Metadata.UID = "uid-" + value
	case 3:
		kind = history.KindDelete
		item = history.Item{Key: item.Key, Absent: true}
		op = command.Operation{Verb: command.VerbDelete, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}
	case 4:
		if v := c.seen(ref); v != 0 {
			o.Metadata.ResourceVersion = v
		}
	default:
	}
	c.begin(kind, []history.Item{item}, &command.Command{Type: command.TypeWrite, Then: []command.Operation{op}}, value, d)
}

// seen is the version of an object on the client's server; 0 for none.
func (c *client) seen(ref candor.Ref) uint64 {
	s := c.server()
	if s == nil {
		return 0
	}
	v, err := s.m.View().Get(ref, 0)
	if err != nil || v == nil {
		return 0
	}
	return v.Revision
}

// transact writes two registers if both are there.
func (c *client) transact(d *dice) {
	if c.w.Keys < 2 {
		return
	}
	value := c.next()
	first := d.upto(c.w.Keys)
	cmd := &command.Command{Type: command.TypeWrite}
	var items []history.Item
	for _, key := range []int{first, (first + 1) % c.w.Keys} {
		ref := registerRef(key)
		cmd.Compares = append(cmd.Compares, command.Compare{Condition: command.IfExists, Ref: ref, Number: 1})
		cmd.Then = append(cmd.Then, command.Operation{Verb: command.VerbUpdate, Kind: ref.Kind, KindRevision: c.w.kinds[ref.Kind], Object: &candor.Object{
			APIVersion: "sim/v1", Kind: "Register", Spec: []byte(`"` + value + `"`), Metadata: candor.Metadata{Name: ref.Name, Namespace: ref.Namespace},
		}})
		items = append(items, history.Item{Key: history.Key(ref), Value: value})
	}
	c.begin(history.KindTxn, items, cmd, value, d)
}

func (c *client) next() string {
	c.requests++
	return fmt.Sprintf("%s-%d", c.name, c.requests)
}

// call is an operation under way.
type call struct {
	c  *client
	at int
	d  *dice
	// cmd is nil of a read.
	cmd  *command.Command
	left int
	// unknown: one of the attempts may have been done, or may yet be.
	unknown bool
}

func (c *client) record(o history.Operation) int {
	w := c.w
	w.moments++
	o.Client, o.Invoke, o.InvokeSeq = c.name, w.now, w.moments
	w.operations = append(w.operations, o)
	c.busy = true
	return len(w.operations) - 1
}

func (c *client) begin(kind history.Kind, items []history.Item, cmd *command.Command, value string, d *dice) {
	cmd.Actor = c.name
	x := &call{c: c, d: d, cmd: cmd, left: attempts}
	if v := c.w.newest(); !d.chance(c.w.Anonymous) && v != nil {
		cmd.RequestID, cmd.NotAfter, cmd.Digest = value, v.ClusterTime()+c.w.Valid/2+d.span(c.w.Valid), uint64(c.requests)
		c.last, c.copied = cmd, false
	}
	x.at = c.record(history.Operation{Kind: kind, Items: items})
	x.attempt()
}

// attempt asks a server once.
func (x *call) attempt() {
	c, w := x.c, x.c.w
	s := c.server()
	x.left--
	switch {
	case s != nil && x.left >= 0:
		if w.mistake == repeatsWithoutID && x.unknown {
			x.cmd.RequestID = ""
		}
		w.propose(s, x.cmd, x.d, x.answered)
	case s == nil && x.left >= 0:
		w.after(x.d.span(2*millisecond), x.attempt)
	case x.unknown:
		x.end(history.OutcomeUnknown, candor.ReasonOutcomeUnknown)
	default:
		x.end(history.OutcomeFailed, candor.ReasonNotLeader)
	}
}

func (x *call) answered(o outcome) {
	c, w := x.c, x.c.w
	if o.result != nil && c.loses {
		c.loses = false
		w.bit(FaultAnswer)
		o = outcome{}
	}
	switch {
	case o.result != nil:
		x.concluded(o.result)
	case o.refused:
		c.contact++
		w.after(x.d.span(2*millisecond), x.attempt)
	case w.mistake == takesUnknownForDone:
		x.done(&fsm.Result{Changed: true, Succeeded: true, Token: w.newest().Token()})
	default:
		x.unknown = true
		c.contact++
		if x.cmd.RequestID == "" && w.mistake != repeatsWithoutID {
			x.end(history.OutcomeUnknown, candor.ReasonOutcomeUnknown)
			return
		}
		w.after(x.d.span(4*millisecond), x.attempt)
	}
}

// concluded takes the root's answer. What it refuses now, an earlier attempt may still
// do, or may have done before it was forgotten.
func (x *call) concluded(r *fsm.Result) {
	x.unknown = x.unknown || x.c.copied && x.c.last == x.cmd
	switch {
	case r.Reason != "" && x.unknown:
		x.end(history.OutcomeUnknown, candor.ReasonOutcomeUnknown)
	case r.Reason != "":
		x.end(history.OutcomeFailed, r.Reason)
	case len(x.cmd.Compares) > 0 && !r.Succeeded && x.unknown:
		x.end(history.OutcomeUnknown, candor.ReasonOutcomeUnknown)
	case len(x.cmd.Compares) > 0 && !r.Succeeded:
		x.end(history.OutcomeFailed, candor.ReasonConflict)
	default:
		x.done(r)
	}
}

func (x *call) done(r *fsm.Result) {
	o := x.close(history.OutcomeOK)
	o.Token, o.Unchanged = r.Token, !r.Changed
	x.c.saw(r.Token)
}

func (x *call) end(outcome history.Outcome, reason candor.Reason) { x.close(outcome).Reason = reason }

func (x *call) close(outcome history.Outcome) *history.Operation {
	w := x.c.w
	if outcome == history.OutcomeFailed && x.c.last == x.cmd {
		x.c.last = nil // to send it again would be another request
	}
	w.moments++
	x.c.busy = false
	o := &w.operations[x.at]
	o.Outcome, o.Return, o.ReturnSeq = outcome, w.now, w.moments
	return o
}

func (c *client) saw(t candor.Token) {
	if !c.session.Covers(t) {
		c.session = t
	}
}
