package coverage

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// Sight is a step that was seen, and of what: a duty, a server, an object.
type Sight struct {
	lifecycle.Step
	Of string
}

// Turn is one log entry, and the views of one machine right before and right after it,
// from which nothing that the entry made can have been cut yet.
type Turn struct {
	Before, After *fsm.View
	// Commands are the entry's, none of a configuration entry. Results has one for each.
	Commands []*command.Command
	Results  []fsm.Result
}

// OfTurn are the steps that an entry made, in their order within each lifecycle. It
// depends on the arguments alone.
func OfTurn(t *Turn) []Sight {
	o := &observer{turn: t}
	o.clocks()
	o.versions()
	o.duties()
	o.stalls()
	o.members()
	o.leaders()
	o.access()
	o.requests()
	return o.seen
}

// observer gathers what one entry shows.
type observer struct {
	turn *Turn
	was  int64
	now  int64
	seen []Sight
	// shown are the lineages that versions of tenures show, by duty, in turn order.
	shown map[string][]*candor.Object
}

func (o *observer) add(of string, name lifecycle.Name, from, to lifecycle.State, event string) {
	o.seen = append(o.seen, Sight{Step: lifecycle.Step{Lifecycle: name, From: from, To: to, Event: event}, Of: of})
}

func (o *observer) clocks() {
	o.was, o.now = o.turn.Before.ClusterTime(), o.turn.After.ClusterTime()
}

// versions looks at every version that the entry made, in the order of its turns.
func (o *observer) versions() {
	after := o.turn.After
	for revision := o.turn.Before.Token().Revision + 1; revision <= after.Token().Revision; revision++ {
		for v := after.Turn(revision); v != nil; v = v.Sibling() {
			o.version(v)
		}
	}
}

// change is one object before and after a version: nil where there was none, or where it
// is gone.
type change struct {
	ref           candor.Ref
	before, after *candor.Object
	// again: an object of the name was there before, and is gone.
	again bool
}

func (o *observer) version(v *mvcc.Version) {
	namespace, name := candor.SplitKey(v.Key)
	c := change{ref: candor.Ref{Kind: o.turn.After.KindName(v.Kind), Namespace: namespace, Name: name}}
	c.after = decoded(v)
	if prev := v.Prev(); prev != nil {
		if prev.Deleted {
			c.again = true
		} else {
			c.before = decoded(prev)
		}
	}
	if v.Deleted {
		c.after = nil
	}
	o.object(&c)
	switch c.ref.Kind {
	case candor.KindTenures:
		if c.after != nil {
			if o.shown == nil {
				o.shown = map[string][]*candor.Object{}
			}
			o.shown[name] = append(o.shown[name], c.after)
		}
	case candor.KindTransitions:
		o.transition(&c)
	case candor.KindInstances:
		o.instance(&c)
	case candor.KindNodes:
		o.node(&c)
	case candor.KindWorkloads:
		o.workload(&c)
	case candor.KindTokens:
		o.token(&c)
	default:
	}
}

// decoded panics on a version that does not decode: the state encoded it.
func decoded(v *mvcc.Version) *candor.Object {
	object, err := v.Object()
	if err != nil {
		panic("coverage: a version of the state does not decode: " + err.Error())
	}
	return object
}
