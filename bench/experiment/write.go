package experiment

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/candor-plane/candor/bench/load"
	"github.com/candor-plane/candor/bench/meter"
	"github.com/candor-plane/candor/bench/system"
)

// fastestCreate bounds how many names are prepared for a window of creates, per
// second and whatever the number of clients; beyond it names are made as needed.
const fastestCreate = 40_000

func creates(clients int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		conns, err := s.dialLeader(ctx, clients)
		if err != nil {
			return nil, err
		}
		defer closeAll(conns)
		corpus := system.NewCorpus("new")
		seconds := (s.Plan.Warm + s.Plan.Window).Seconds()
		ready := make([]system.Object, int(seconds*float64(min(fastestCreate, 4_000*clients))))
		for i := range ready {
			ready[i] = corpus.Bare(s.created + i)
		}
		var next atomic.Int64
		operations := make([]load.Operation, clients)
		for client := range operations {
			conn := conns[client%len(conns)]
			operations[client] = func(ctx context.Context) error {
				n := int(next.Add(1)) - 1
				var o system.Object
				if n < len(ready) {
					o = ready[n]
				} else {
					o = corpus.Bare(s.created + n)
				}
				o.Spec = s.specs[n%len(s.specs)]
				_, err := conn.Create(ctx, o)
				return err
			}
		}
		result, span, err := s.run(ctx, operations)
		s.created += int(next.Load())
		return writeValues(result, span), err
	}
}

func updates(clients int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		conns, err := s.dialLeader(ctx, clients)
		if err != nil {
			return nil, err
		}
		defer closeAll(conns)
		result, span, err := s.run(ctx, s.updaters(conns, clients))
		return writeValues(result, span), err
	}
}

// updaters are clients that write the prepared objects, each its own share.
func (s *Subject) updaters(conns []system.Conn, clients int) []load.Operation {
	operations := make([]load.Operation, clients)
	for client := range operations {
		conn, n, turn := conns[client%len(conns)], client, client
		operations[client] = func(ctx context.Context) error {
			_, err := conn.Update(ctx, s.item(n, turn))
			n += clients
			turn++
			return err
		}
	}
	return operations
}

// swaps gives each client an object of its own: every compare holds.
func swaps(clients int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		if clients > len(s.items) {
			return nil, fmt.Errorf("%d clients to swap %d objects, wanted one each", clients, len(s.items))
		}
		conns, err := s.dialLeader(ctx, clients)
		if err != nil {
			return nil, err
		}
		defer closeAll(conns)
		operations := make([]load.Operation, clients)
		for client := range operations {
			conn, turn := conns[client%len(conns)], client
			at, err := conn.Read(ctx, s.items[client], system.Strong)
			if err != nil {
				return nil, fmt.Errorf("read the first version to swap: %w", err)
			}
			operations[client] = func(ctx context.Context) error {
				written, err := conn.Swap(ctx, s.item(client, turn), at.Version)
				at = written
				turn++
				return err
			}
		}
		result, span, err := s.run(ctx, operations)
		return writeValues(result, span), err
	}
}

func writeValues(result load.Result, span meter.Span) Values {
	if result.Latency == nil {
		return nil
	}
	values := latencyValues(result)
	values[cpu.Name] = float64((span.Subject + span.Self).Microseconds()) / float64(result.Latency.Count())
	return values
}

func latencyValues(result load.Result) Values {
	return Values{
		rate.Name: result.Rate(),
		p50.Name:  milliseconds(result.Latency.Quantile(0.50)),
		p99.Name:  milliseconds(result.Latency.Quantile(0.99)),
	}
}
