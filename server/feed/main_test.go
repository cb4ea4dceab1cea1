package feed

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// root applies entries and lets the feed wait for them.
type root struct {
	mu      sync.Mutex
	machine *fsm.Machine
	moved   chan struct{}
}

func (r *root) WaitApplied(ctx context.Context, index uint64) error {
	for {
		r.mu.Lock()
		done, moved := r.machine.View().Token().Index >= index, r.moved
		r.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *root) apply(t *testing.T, c *command.Command) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	index := r.machine.View().Token().Index + 1
	res := r.machine.Apply([]fsm.Committed{{Term: 1, Index: index, Data: command.AppendEntry(nil, command.Entry{
		Term: 1, Time: int64(index), Wall: 1, Commands: [][]byte{command.AppendCommand(nil, c)},
	})}})
	if err := res[0].Results[0].Err(); err != nil {
		t.Fatal(err)
	}
	close(r.moved)
	r.moved = make(chan struct{})
}

func TestOnlyAChangeOfTheKindWakesItsWaiters(t *testing.T) {
	r := &root{machine: fsm.New(fsm.Config{ClusterID: "c"}), moved: make(chan struct{})}
	f := New(r.machine, r)
	defer f.Close()
	_, spaces := f.Changed(candor.KindNamespaces)
	_, kinds := f.Changed(candor.KindKinds)
	kind, err := r.machine.View().Get(candor.Ref{Kind: candor.KindKinds, Name: string(candor.KindNamespaces)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	r.apply(t, &command.Command{Type: command.TypeWrite, Actor: "a", Then: []command.Operation{{
		Verb: command.VerbCreate, Kind: candor.KindNamespaces, KindRevision: kind.Revision,
		Object: &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Spec: []byte(`{}`), Metadata: candor.Metadata{Name: "team", UID: "u"}},
	}}})
	select {
	case <-spaces:
	case <-time.After(10 * time.Second):
		t.Fatal("the waiter of the changed kind sleeps on")
	}
	select {
	case <-kinds:
		t.Fatal("the waiter of another kind was woken")
	default:
	}
	if view, _ := f.Changed(candor.KindNamespaces); view.Live(candor.KindNamespaces) != 2 {
		t.Fatal("the view after the wake-up misses the change")
	}
}
