package grpcapi

import (
	"context"

	"google.golang.org/grpc"
)

// Way is what a call that came over a stream passes as gRPC's own calls do.
type Way struct {
	Unary  grpc.UnaryServerInterceptor
	Stream grpc.StreamServerInterceptor
}

// chained is what grpc.ChainUnaryInterceptor and grpc.ChainStreamInterceptor make of
// them, the outermost first.
func chained(through []Way) Way {
	first := through[0]
	if len(through) == 1 {
		return first
	}
	rest := chained(through[1:])
	return Way{
		Unary: func(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			return first.Unary(ctx, in, info, func(ctx context.Context, in any) (any, error) { return rest.Unary(ctx, in, info, handle) })
		},
		Stream: func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			return first.Stream(service, stream, info, func(service any, stream grpc.ServerStream) error {
				return rest.Stream(service, stream, info, handle)
			})
		},
	}
}
