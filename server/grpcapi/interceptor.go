package grpcapi

import (
	"context"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/rpc/convert"
)

// Interceptors turn every error into its status and every panic of a handler
// into INTERNAL, logged once with its stack.
func Interceptors(logger hclog.Logger) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
			defer func() { err = finish(logger, info.FullMethod, err, recover()) }()
			return handle(ctx, in)
		}),
		grpc.ChainStreamInterceptor(func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
			defer func() { err = finish(logger, info.FullMethod, err, recover()) }()
			return handle(service, stream)
		}),
	}
}

func finish(logger hclog.Logger, method string, err error, panicked any) error {
	if panicked != nil {
		logger.Error("handler panicked", "method", method, "panic", panicked, "stack", string(debug.Stack()))
		err = candor.Errorf(candor.ReasonInternal, "%s failed inside the server; its log has the stack", method)
	}
	if err == nil {
		return nil
	}
	return convert.StatusFromError(err).Err()
}
