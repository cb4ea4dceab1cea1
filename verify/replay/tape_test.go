package replay_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/verify/replay"
)

const widgets = candor.KindName("widgets.test")

// tape is the log of a node that lived, as it is in memory.
type tape struct {
	origin    replay.Origin
	entries   []replay.Entry
	snapshots map[string][]byte
	machine   *fsm.Machine
	clock     int64
}

func (x *tape) Origin() replay.Origin { return x.origin }

func (x *tape) Entries(_ context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return func(yield func(replay.Entry, error) bool) {
		for _, e := range x.entries {
			if e.Index >= from && e.Index <= to && !yield(e, nil) {
				return
			}
		}
	}
}

func (x *tape) Snapshot(_ context.Context, id string) (io.ReadCloser, error) {
	data, ok := x.snapshots[id]
	if !ok {
		return nil, candor.Errorf(candor.ReasonNotFound, "no snapshot %s", id)
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// lived is the log of a node that took several hundred turns of all kinds, with two
// snapshots.
func lived(t *testing.T) *tape {
	t.Helper()
	x := &tape{origin: replay.Origin{Name: "n1", First: 1}, snapshots: map[string][]byte{}, machine: fsm.New(fsm.Config{ClusterID: "c-1"}), clock: 1_700_000_000_000_000_000}
	x.add(replay.Entry{Type: replay.Configuration, Members: []replay.Member{{ServerID: "s1", Address: "s1@n1:1", Voter: true}}})
	x.add(replay.Entry{Type: "noop"})
	x.do(command.LeaderStart(1, "s1"))
	x.declare(widgets, "Widget")
	kind := x.machine.View().Token().Revision
	for i := range 300 {
		name := fmt.Sprintf("w%03d", i)
		x.do(write(create(widgets, object("Widget", "default", name, fmt.Sprintf(`{"n":%d}`, i)), kind)))
		switch i % 10 {
		case 3: // refused: it is there already
			x.do(write(create(widgets, object("Widget", "default", name, `{}`), kind)))
		case 5:
			x.do(write(command.Operation{Verb: command.VerbDelete, Kind: widgets, Namespace: "default", Name: name}))
		case 7:
			changed := create(widgets, object("Widget", "default", name, `{"n":-1}`), kind)
			changed.Verb = command.VerbUpdate
			x.do(write(changed), command.Tick())
		}
		if i == 100 || i == 200 {
			x.snapshot(t)
		}
	}
	return x
}

func (x *tape) declare(kind candor.KindName, word string) {
	kinds, _ := x.machine.View().Get(candor.Ref{Kind: candor.KindKinds, Name: string(candor.KindKinds)}, 0)
	spec := fmt.Sprintf(`{"scope":"Namespaced","names":{"kind":%q}}`, word)
	x.do(write(create(candor.KindKinds, object("Kind", "", string(kind), spec), kinds.Revision)))
}

func object(kind, namespace, name, spec string) *candor.Object {
	return &candor.Object{
		APIVersion: "test/v1", Kind: kind, Spec: []byte(spec),
		Metadata: candor.Metadata{Name: name, Namespace: namespace, UID: "uid-" + namespace + "-" + name},
	}
}

func create(kind candor.KindName, o *candor.Object, revision uint64) command.Operation {
	return command.Operation{Verb: command.VerbCreate, Kind: kind, Object: o, KindRevision: revision}
}

func write(ops ...command.Operation) *command.Command {
	return &command.Command{Type: command.TypeWrite, Actor: "ana", Then: ops}
}

func (x *tape) do(commands ...*command.Command) {
	x.clock += 1e6
	x.add(replay.Entry{Type: replay.Command, Data: encoded(x.clock, commands...)})
}

func encoded(clock int64, commands ...*command.Command) []byte {
	e := command.Entry{Term: 1, Time: clock, Wall: clock}
	for _, c := range commands {
		e.Commands = append(e.Commands, command.AppendCommand(nil, c))
	}
	return command.AppendEntry(nil, e)
}

// add applies an entry as a node does, and keeps what it published.
func (x *tape) add(e replay.Entry) {
	x.origin.Last++
	e.Index, e.Term = x.origin.Last, 1
	x.entries = append(x.entries, e)
	x.origin.Committed = e.Index
	if e.Type == "noop" {
		return
	}
	c := fsm.Committed{Term: 1, Index: e.Index, Data: e.Data, Configuration: e.Type == replay.Configuration}
	for _, m := range e.Members {
		c.Servers = append(c.Servers, server(m))
	}
	x.machine.Apply([]fsm.Committed{c})
	view := x.machine.View()
	x.origin.Points = append(x.origin.Points, replay.Point{Index: e.Index, Digest: replay.Digest(view.Digest()), By: "node n1"})
}

func (x *tape) snapshot(t *testing.T) {
	t.Helper()
	s := x.machine.Snapshot()
	defer s.Release()
	var out bytes.Buffer
	if _, err := s.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprintf("snap-%d", s.Token().Index)
	x.snapshots[id] = out.Bytes()
	x.origin.Snapshots = append([]replay.Snapshot{{ID: id, Index: s.Token().Index, Term: 1}}, x.origin.Snapshots...)
}

// copied is a tape of its own; its snapshots' contents are shared.
func (x *tape) copied(name string) *tape {
	y := *x
	y.origin.Name = name
	y.origin.Points, y.origin.Snapshots = slices.Clone(x.origin.Points), slices.Clone(x.origin.Snapshots)
	y.entries = slices.Clone(x.entries)
	return &y
}
