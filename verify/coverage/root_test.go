package coverage

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

const (
	widgets = candor.KindName("widgets.test")
	server  = "server/s1"
	other   = "server/s2"
	began   = int64(1_700_000_000_000_000_000)
)

// root is a machine that a test drives as a log would, and what its entries show.
type root struct {
	t     *testing.T
	m     *fsm.Machine
	index uint64
	time  int64
	log   []fsm.Committed
	term  uint64
	steps []string
	all   []Sight
}

func newRoot(t *testing.T) *root {
	return &root{t: t, m: fsm.New(fsm.Config{ClusterID: "c1"}), time: began, term: 1}
}

func (r *root) apply(c fsm.Committed, commands ...*command.Command) []fsm.Result {
	r.t.Helper()
	before := r.m.View()
	results := r.m.Apply([]fsm.Committed{c})[0].Results
	for _, seen := range OfTurn(&Turn{Before: before, After: r.m.View(), Commands: commands, Results: results}) {
		r.steps = append(r.steps, seen.String())
		r.all = append(r.all, seen)
	}
	r.log = append(r.log, c)
	return results
}

// entry applies commands as one entry, a millisecond after the last.
func (r *root) entry(commands ...*command.Command) []fsm.Result {
	r.t.Helper()
	r.index++
	r.time += 1e6
	e := command.Entry{Term: r.term, Time: r.time, Wall: r.time}
	for _, c := range commands {
		e.Commands = append(e.Commands, command.AppendCommand(nil, c))
	}
	return r.apply(fsm.Committed{Term: r.term, Index: r.index, Data: command.AppendEntry(nil, e)}, commands...)
}

// must is entry of commands that are accepted.
func (r *root) must(commands ...*command.Command) {
	r.t.Helper()
	for _, res := range r.entry(commands...) {
		if err := res.Err(); err != nil {
			r.t.Fatal(err)
		}
	}
}

// lead is the first command of a leader, of the next term.
func (r *root) lead(id string) {
	r.t.Helper()
	if r.m.View().LeaderTerm() > 0 {
		r.term++
	}
	r.must(command.LeaderStart(r.term, id))
}

// members applies a configuration entry: a name is a voter, one in lower case is not.
func (r *root) members(names ...string) {
	r.index++
	c := fsm.Committed{Term: r.term, Index: r.index, Configuration: true}
	for _, n := range names {
		id, address, _ := strings.Cut(n, "@")
		c.Servers = append(c.Servers, transition.Server{ID: strings.ToLower(id), Address: address, Voter: strings.ToUpper(id) == id})
	}
	r.apply(c)
}

func (r *root) lineage(duty string) tenure.Lineage {
	d, err := tenure.DutyOf(duty)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.m.View().Tenure(d)
}

func (r *root) campaign(duty, holder string) *command.Command {
	c := r.lineage(duty).Current
	start := c.Usage
	if c.State == tenure.StateActive {
		start = c.Bound
	}
	return command.Tenure(duty, holder, tenure.Campaign{
		Holder: holder, Candidacy: holder + "#" + string(rune('a'+r.index%26)), Expect: c.Number, Cite: c.Seal, Start: start, Duration: int64(time.Second),
	})
}

// current is an event about the present era of a duty.
func (r *root) current(duty, holder string, event func(era uint64) tenure.Event) *command.Command {
	return command.Tenure(duty, holder, event(r.lineage(duty).Current.Number))
}

func (r *root) expire() { r.time += int64(2 * time.Second) }

func (r *root) get(ref candor.Ref) *candor.Object {
	r.t.Helper()
	v, err := r.m.View().Get(ref, 0)
	if err != nil || v == nil {
		r.t.Fatalf("%s: %v, %v", ref, v, err)
	}
	return decoded(v)
}

func (r *root) write(ops ...command.Operation) *command.Command {
	for i := range ops {
		v, _ := r.m.View().Get(candor.Ref{Kind: candor.KindKinds, Name: string(ops[i].Kind)}, 0)
		if v != nil {
			ops[i].KindRevision = v.Revision
		}
	}
	return &command.Command{Type: command.TypeWrite, Actor: "ana", Then: ops}
}

func (r *root) create(ref candor.Ref, kind, spec string, change func(*candor.Object)) *command.Command {
	o := &candor.Object{
		APIVersion: "test/v1", Kind: kind, Spec: []byte(spec),
		Metadata: candor.Metadata{Name: ref.Name, Namespace: ref.Namespace, UID: "uid-" + ref.Name + "-" + string(rune('a'+r.index%26))},
	}
	if change != nil {
		change(o)
	}
	return r.write(command.Operation{Verb: command.VerbCreate, Kind: ref.Kind, Object: o})
}

func (r *root) update(ref candor.Ref, change func(*candor.Object)) *command.Command {
	o := *r.get(ref)
	o.Status, o.Observed, o.Cause = nil, nil, nil
	change(&o)
	return r.write(command.Operation{Verb: command.VerbUpdate, Kind: ref.Kind, Object: &o})
}

func (r *root) section(verb command.Verb, ref candor.Ref, payload string) *command.Command {
	return r.write(command.Operation{Verb: verb, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name, Payload: []byte(payload)})
}

func (r *root) remove(ref candor.Ref, p candor.Propagation) *command.Command {
	return r.write(command.Operation{Verb: command.VerbDelete, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name, Propagation: p})
}

// cascades runs the pages of all that deletions left to do.
func (r *root) cascades() {
	for range 10 {
		for _, c := range r.m.View().Cascades(10) {
			r.must(command.CascadePage(c.ID))
		}
	}
}

// shows fails unless what was seen since the last call, of the lifecycles that are
// named, is this, in this order.
func (r *root) shows(lifecycles string, want ...string) {
	r.t.Helper()
	var got []string
	for _, step := range r.steps {
		name, rest, _ := strings.Cut(step, "/")
		if slices.Contains(strings.Fields(lifecycles), name) {
			if len(strings.Fields(lifecycles)) == 1 {
				step = rest
			}
			got = append(got, step)
		}
	}
	r.steps = nil
	if !slices.Equal(got, want) {
		r.t.Errorf("seen:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
