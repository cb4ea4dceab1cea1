package fsm

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

const (
	widgets  = candor.KindName("widgets.test")
	wallBase = int64(1_700_000_000_000_000_000)
)

// root drives one machine as a log would, and keeps the log.
type root struct {
	t     testing.TB
	m     *Machine
	index uint64
	time  int64
	log   []Committed
	// plans are the revisions at which transitions were planned, where a test keeps them.
	plans []uint64
}

func newRoot(t testing.TB) *root {
	r := &root{t: t, m: New(Config{ClusterID: "c1"}), time: wallBase}
	r.do(command.LeaderStart(1, "s1"))
	r.mustWrite(command.Operation{Verb: command.VerbCreate, Kind: candor.KindKinds, Object: object("Kind", "", string(widgets), `{"x":1}`)})
	return r
}

func object(kind, namespace, name, spec string) *candor.Object {
	return &candor.Object{APIVersion: "test/v1", Kind: kind, Spec: []byte(spec),
		Metadata: candor.Metadata{Name: name, Namespace: namespace, UID: "uid-" + namespace + "-" + name}}
}

// entry applies commands as one log entry.
func (r *root) entry(commands ...*command.Command) []Result {
	r.index++
	r.time += 1e6
	e := command.Entry{Term: 1, Time: r.time, Wall: r.time}
	for _, c := range commands {
		e.Commands = append(e.Commands, command.AppendCommand(nil, c))
	}
	committed := Committed{Term: 1, Index: r.index, Data: command.AppendEntry(nil, e)}
	r.log = append(r.log, committed)
	return r.m.Apply([]Committed{committed})[0].Results
}

func (r *root) do(c *command.Command) Result { return r.entry(c)[0] }

// kindRevision is what a server would have validated against.
func (r *root) kindRevision(kind candor.KindName) uint64 {
	v, _ := r.m.View().Get(candor.Ref{Kind: candor.KindKinds, Name: string(kind)}, 0)
	if v == nil {
		return 0
	}
	return v.Revision
}

func (r *root) writeCommand(ops ...command.Operation) *command.Command {
	for i := range ops {
		if ops[i].KindRevision == 0 {
			ops[i].KindRevision = r.kindRevision(ops[i].Kind)
		}
	}
	return &command.Command{Type: command.TypeWrite, Actor: "ana", Then: ops}
}

func (r *root) write(ops ...command.Operation) Result { return r.do(r.writeCommand(ops...)) }

func (r *root) mustWrite(ops ...command.Operation) Result {
	r.t.Helper()
	res := r.write(ops...)
	if err := res.Err(); err != nil {
		r.t.Fatal(err)
	}
	return res
}

func create(namespace, name, spec string) command.Operation {
	return command.Operation{Verb: command.VerbCreate, Kind: widgets, Object: object("Widget", namespace, name, spec)}
}

func remove(kind candor.KindName, namespace, name string, p candor.Propagation) command.Operation {
	return command.Operation{Verb: command.VerbDelete, Kind: kind, Namespace: namespace, Name: name, Propagation: p}
}

func widget(namespace, name string) candor.Ref {
	return candor.Ref{Kind: widgets, Namespace: namespace, Name: name}
}

func (r *root) get(ref candor.Ref) *candor.Object {
	v, err := r.m.View().Get(ref, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	if v == nil {
		return nil
	}
	o, err := v.Object()
	if err != nil {
		r.t.Fatal(err)
	}
	return o
}

// update changes the object as it stands.
func (r *root) update(ref candor.Ref, change func(*candor.Object)) Result {
	o := r.get(ref)
	if o == nil {
		r.t.Fatalf("%s does not exist", ref)
	}
	c := *o
	change(&c)
	return r.write(command.Operation{Verb: command.VerbUpdate, Kind: ref.Kind, Object: &c})
}

// cascadeAll runs pages until no cascade makes progress.
func (r *root) cascadeAll() (pages int) {
	for {
		pending := r.m.View().Cascades(1 << 20)
		before := r.m.View().Token().Revision
		for _, c := range pending {
			pages++
			if res := r.do(command.CascadePage(c.ID)); res.Err() != nil {
				r.t.Fatal(res.Err())
			}
		}
		if len(pending) == 0 || (r.m.View().Token().Revision == before && len(r.m.View().Cascades(1<<20)) == len(pending)) {
			return pages
		}
	}
}

// replayed is a fresh machine fed the same log.
func (r *root) replayed() *Machine {
	m := New(Config{ClusterID: "c1"})
	m.Apply(r.log)
	return m
}

func snapshotOf(t testing.TB, m *Machine) []byte {
	t.Helper()
	s := m.Snapshot()
	defer s.Release()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wantSame fails unless the machines agree on token, digest and contents.
func wantSame(t testing.TB, what string, a, b *Machine) {
	t.Helper()
	va, vb := a.View(), b.View()
	if va.Token() != vb.Token() || va.Digest() != vb.Digest() || va.Stats() != vb.Stats() {
		t.Fatalf("%s: %s %x %+v, want %s %x %+v", what, vb.Token(), vb.Digest(), vb.Stats(), va.Token(), va.Digest(), va.Stats())
	}
	if x, y := dump(va), dump(vb); x != y {
		t.Fatalf("%s: equal digests, different contents:\n%s\n---\n%s", what, x, y)
	}
}

// dump prints every retained version and every indexed turn.
func dump(v *View) string {
	var b bytes.Buffer
	for _, k := range v.kinds {
		for head := range headsOf(k) {
			ns, name := candor.SplitKey(head)
			for x := range chainOf(v, candor.Ref{Kind: k.name, Namespace: ns, Name: name}) {
				fmt.Fprintf(&b, "%s %s@%d deleted=%t %x\n", k.name, x.Key, x.Revision, x.Deleted, x.Data)
			}
		}
	}
	for r := v.cursor + 1; r <= v.token.Revision; r++ {
		fmt.Fprintf(&b, "turn %d:", r)
		for x := v.Turn(r); x != nil; x = x.Sibling() {
			fmt.Fprintf(&b, " %s@%d", x.Key, x.Revision)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
