package experiment

import (
	"context"

	"github.com/candor-plane/candor/bench/load"
	"github.com/candor-plane/candor/bench/system"
)

// strongReads ask the leader.
func strongReads(clients int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		conns, err := s.dialLeader(ctx, clients)
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(conns) }()
		return s.read(ctx, conns, clients, system.Strong)
	}
}

// followerReads ask one follower for what it has applied.
func followerReads(clients int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		leader, err := s.Cluster.Leader(ctx)
		if err != nil {
			return nil, err
		}
		conns, err := s.dial(ctx, clients, s.others(leader)[0])
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(conns) }()
		return s.read(ctx, conns, clients, system.Local)
	}
}

// spreadReads ask all members in turn for what they have applied.
func spreadReads(clients int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		conns, err := s.dial(ctx, clients, s.others(-1)...)
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(conns) }()
		return s.read(ctx, conns, clients, system.Local)
	}
}

func (s *Subject) read(ctx context.Context, conns []system.Conn, clients int, how system.Consistency) (Values, error) {
	// A stride without a common factor with the number of items walks all of
	// them in an order unlike that of the keys.
	const stride = 7919
	operations := make([]load.Operation, clients)
	for client := range operations {
		conn, n := conns[client%len(conns)], client*stride
		operations[client] = func(ctx context.Context) error {
			_, err := conn.Read(ctx, s.items[n%len(s.items)], how)
			n += stride
			return err
		}
	}
	result, _, err := s.run(ctx, operations)
	if err != nil {
		return nil, err
	}
	return latencyValues(result), nil
}
