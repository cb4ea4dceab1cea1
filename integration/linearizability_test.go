package integration

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/candor-plane/candor/client"

	"github.com/candor-plane/candor"
)

// access is one operation on a register: a write of value, or a read of it.
type access struct {
	register int
	write    bool
	value    string
}

var registers = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[int][]porcupine.Operation{}
		for _, o := range history {
			r := o.Input.(access).register
			parts[r] = append(parts[r], o)
		}
		var out [][]porcupine.Operation
		for _, part := range parts {
			out = append(out, part)
		}
		return out
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		if in := input.(access); in.write {
			return true, in.value
		}
		return output == state, state
	},
}

// TestRegistersAreLinearizableUnderLeaderKills records strong reads and writes
// of four registers while leaders are killed. A write without an acknowledgement
// may take effect at any later time; a read without an answer says nothing.
func TestRegistersAreLinearizableUnderLeaderKills(t *testing.T) {
	const keys, clients, kills = 4, 6, 3
	c := start(t, 3)
	k := c.client()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for r := range keys {
		create(ctx, t, k, fmt.Sprintf("register-%d", r))
	}
	var mu sync.Mutex
	var history []porcupine.Operation
	stop := make(chan struct{})
	var wait sync.WaitGroup
	began := time.Now()
	for id := range clients {
		mine := c.client()
		wait.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
				}
				in := access{register: (id + i) % keys, write: i%2 == 0, value: fmt.Sprintf("%d-%d", id, i)}
				called := time.Since(began).Nanoseconds()
				out, err := in.run(ctx, mine)
				returned := time.Since(began).Nanoseconds()
				if err != nil && !in.write {
					continue
				}
				if err != nil {
					returned = math.MaxInt64
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: id, Input: in, Call: called, Output: out, Return: returned})
				mu.Unlock()
			}
		})
	}
	recorded := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(history)
	}
	for i := range kills {
		want := recorded() + 40
		until(ctx, t, "operations between kills", func() bool { return recorded() >= want })
		p := c.leader(ctx, k)
		p.kill()
		create(ctx, t, k, fmt.Sprintf("after-%d", i))
		p.begin(t)
		c.answers(ctx, k, p)
	}
	close(stop)
	wait.Wait()
	if len(history) < 100 {
		t.Fatalf("inconclusive: only %d operations", len(history))
	}
	if got := porcupine.CheckOperationsTimeout(registers, history, 20*time.Second); got != porcupine.Ok {
		t.Fatalf("%d operations: %s", len(history), got)
	}
	t.Logf("%d operations are linearizable over %d leader kills", len(history), kills)
}

func (in access) run(ctx context.Context, k *client.Client) (string, error) {
	name := fmt.Sprintf("register-%d", in.register)
	if in.write {
		o := object(name)
		o.Metadata.Labels = map[string]string{"value": in.value}
		_, err := k.Update(ctx, o)
		return "", err
	}
	o, _, err := k.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: name}, client.WithoutSession())
	if err != nil {
		return "", err
	}
	return o.Metadata.Labels["value"], nil
}
