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
		defer func() { _ = closeAll(conns) }()
		corpus := system.NewCorpus("new")
		seconds := (s.Plan.Warm + s.Plan.Window).Seconds()
		ready := make([]system.Object, int(seconds*float64(min(fastestCreate, 4_000*clients))))
		for i := range ready {
			ready[i] = corpus.Bare(s.created + i)
		}
		var next atomic.Int64
		operations := make([]load.Operation, clients)
		for client := range operations {
			conn, last := conns[client%len(conns)], uint64(0)
			operations[client] = func(ctx context.Context) error {
				n := int(next.Add(1)) - 1
				var o system.Object
				if n < len(ready) {
					o = ready[n]
				} else {
					o = corpus.Bare(s.created + n)
				}
				o.Spec = s.specs[n%len(s.specs)]
				written, err := conn.Create(ctx, o)
				if err != nil {
					return err
				}
				return newer(written, &last)
			}
		}
		result, span, err := s.run(ctx, operations)
		s.created += int(next.Load())
		return costedValues(result, span), err
	}
}

func updates(clients int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		conns, err := s.dialLeader(ctx, clients)
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(conns) }()
		result, span, err := s.run(ctx, s.updaters(conns, clients))
		return costedValues(result, span), err
	}
}

// updaters are clients that write the prepared objects, each its own share.
func (s *Subject) updaters(conns []system.Conn, clients int) []load.Operation {
	operations := make([]load.Operation, clients)
	for client := range operations {
		conn, n, last := conns[client%len(conns)], client, uint64(0)
		operations[client] = func(ctx context.Context) error {
			written, err := conn.Update(ctx, s.item(n))
			if err == nil {
				err = newer(written, &last)
			}
			n += clients
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
		defer func() { _ = closeAll(conns) }()
		operations := make([]load.Operation, clients)
		for client := range operations {
			conn := conns[client%len(conns)]
			at, err := conn.Read(ctx, s.items[client], system.Strong)
			if err != nil {
				return nil, fmt.Errorf("read the first version to swap: %w", err)
			}
			operations[client] = func(ctx context.Context) error {
				written, err := conn.Swap(ctx, s.item(client), at.Version)
				if err != nil {
					return err
				}
				return newer(written, &at.Version)
			}
		}
		result, span, err := s.run(ctx, operations)
		return costedValues(result, span), err
	}
}

// newer refuses a write that one client did after another and that made no newer
// version: then nothing was written. It keeps the version.
func newer(written system.Reading, last *uint64) error {
	if written.Version <= *last {
		return fmt.Errorf("a write was acknowledged as version %d after version %d: it wrote nothing", written.Version, *last)
	}
	*last = written.Version
	return nil
}

func costedValues(result load.Result, span meter.Span) Values {
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
