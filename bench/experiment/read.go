package experiment

import (
	"context"

	"github.com/candor-plane/candor/bench/load"
	"github.com/candor-plane/candor/bench/system"
)

// strongReads ask the leader.
func strongReads(clients int) func(context.Context, *Subject) (Values, error) {
	return reads(clients, system.Strong, func(ctx context.Context, s *Subject) ([]system.Conn, error) {
		return s.dialLeader(ctx, clients)
	})
}

// followerReads ask one follower.
func followerReads(clients int, how system.Consistency) func(context.Context, *Subject) (Values, error) {
	return reads(clients, how, func(ctx context.Context, s *Subject) ([]system.Conn, error) {
		return s.dialFollower(ctx, clients)
	})
}

// spreadReads ask all members in turn: each connection is to one of them.
func spreadReads(clients int, how system.Consistency) func(context.Context, *Subject) (Values, error) {
	return reads(clients, how, func(ctx context.Context, s *Subject) ([]system.Conn, error) {
		return s.dial(ctx, clients, s.others(-1)...)
	})
}

// routedReads ask whom the system's own client chooses: each has a connection to
// every member.
func routedReads(clients int, how system.Consistency) func(context.Context, *Subject) (Values, error) {
	return reads(clients, how, func(ctx context.Context, s *Subject) ([]system.Conn, error) {
		return s.dialEverywhere(ctx, clients)
	})
}

type dialing func(context.Context, *Subject) ([]system.Conn, error)

func reads(clients int, how system.Consistency, dial dialing) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		conns, err := dial(ctx, s)
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(conns) }()
		result, span, err := s.run(ctx, s.readers(conns, clients, how))
		return costedValues(result, span), err
	}
}

// readers are clients that read the prepared objects.
func (s *Subject) readers(conns []system.Conn, clients int, how system.Consistency) []load.Operation {
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
	return operations
}
