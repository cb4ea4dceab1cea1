package grpcapi

import (
	"context"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Allocators hand out numbers where their duty is held. Numbers come in a row: first,
// and the era that they were taken under.
type Allocators interface {
	AllocIDs(ctx context.Context, n uint64) (first, era uint64, err error)
	AllocTimestamps(ctx context.Context, n uint64) (first, era uint64, err error)
}

// Allocs is the service that hands out numbers.
type Allocs struct {
	candorv1.UnimplementedAllocServiceServer
	allocators Allocators
}

// NewAllocs returns the service.
func NewAllocs(allocators Allocators) *Allocs {
	if allocators == nil {
		panic("grpcapi: the alloc service needs allocators")
	}
	return &Allocs{allocators: allocators}
}

// AllocIDs takes IDs in a row.
func (s *Allocs) AllocIDs(ctx context.Context, in *candorv1.AllocIDsRequest) (*candorv1.AllocIDsResponse, error) {
	n := max(1, in.GetCount())
	first, era, err := s.allocators.AllocIDs(ctx, n)
	if err != nil {
		return nil, candor.Wrap("allocate IDs", err)
	}
	return &candorv1.AllocIDsResponse{First: first, Count: n, Era: era}, nil
}

// AllocTimestamps takes timestamps in a row.
func (s *Allocs) AllocTimestamps(ctx context.Context, in *candorv1.AllocTimestampsRequest) (*candorv1.AllocTimestampsResponse, error) {
	n := max(1, in.GetCount())
	first, era, err := s.allocators.AllocTimestamps(ctx, n)
	if err != nil {
		return nil, candor.Wrap("allocate timestamps", err)
	}
	return &candorv1.AllocTimestampsResponse{First: first, Count: n, Era: era}, nil
}
