package cli_test

import (
	"context"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

func (s *shelf) Tenures(context.Context, ...client.ReadOption) (*client.Tenures, error) {
	return s.tenures, s.refuse("tenures")
}

func (s *shelf) TransferTenure(_ context.Context, duty, server string) (*client.Transferred, error) {
	s.log = append(s.log, "hand "+duty+" to "+server)
	if err := s.refuse("hand"); err != nil {
		return nil, err
	}
	return s.transferred, nil
}

func (s *shelf) AllocIDs(_ context.Context, n uint64) (client.Numbers, error) {
	return s.numbers("ids", n)
}

func (s *shelf) Timestamps(_ context.Context, n uint64) (client.Numbers, error) {
	return s.numbers("timestamps", n)
}

func (s *shelf) numbers(what string, n uint64) (client.Numbers, error) {
	s.log = append(s.log, fmt.Sprintf("allocate %d %s", n, what))
	if err := s.refuse("allocate"); err != nil {
		return client.Numbers{}, err
	}
	s.number += n
	return client.Numbers{First: s.number - n + 1, Count: n, Era: 4}, nil
}

func (s *shelf) lineage(ref candor.Ref) (*client.History, error) {
	if err := s.refuse("history"); err != nil {
		return nil, err
	}
	versions, known := s.lineages[ref.Name]
	if !known {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Message: ref.String() + " does not exist"}
	}
	return &client.History{Versions: versions, Floor: 3, Witness: s.witness()}, nil
}

// duties are two, of which nobody renews one.
func duties() *client.Tenures {
	era := func(until int64) *client.Era {
		return &client.Era{Number: 1, Holder: "server/u-1", HolderName: "n1", State: "ACTIVE", RenewedUntil: until}
	}
	return &client.Tenures{ClusterTime: 10, Tenures: []client.Tenure{{Duty: "janitor", Current: era(11)}, {Duty: "tso", Current: era(9)}}}
}
