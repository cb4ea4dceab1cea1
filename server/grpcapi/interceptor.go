package grpcapi

import (
	"context"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/rpc/convert"
)

// Entrance is what every request passes on its way in and out.
type Entrance interface {
	Guard
	Recorder
	// Judged notes what became of the admission of a request, whose context names
	// its actor (see ActorOf).
	Judged(ctx context.Context, class candor.AdmissionClass, method string, err error)
	// Witness is what this node knows of its view now.
	Witness() candor.Witness
}

// Guard is what the door knows of those who come.
type Guard interface {
	// Authenticate says who makes the request of ctx.
	Authenticate(ctx context.Context) (candor.Principal, error)
	// View is the newest one of this node.
	View() *fsm.View
	// Secured says whether callers prove who they are by certificates.
	Secured() bool
	// Demands says that nobody is served before access control has been opened.
	Demands() bool
	// Enter waits for a place for a request of a class, or one among the watches.
	// The error is that this node has too much to do for its caller.
	Enter(ctx context.Context, class candor.AdmissionClass, watch bool) (Place, error)
}

// Place is that a request may go on, until Done.
type Place interface{ Done() }

// Interceptors find who calls, wait for a place for each request, count the admission of every request of the services for
// clients, once and by its class, give every refusal a witness, turn every error
// into its status, and every panic of a handler into INTERNAL, logged once with
// its stack.
func Interceptors(entrance Entrance, logger hclog.Logger) []grpc.ServerOption {
	if entrance == nil || logger == nil {
		panic("grpcapi: interceptors need an entrance and a logger")
	}
	d := &door{entrance: entrance, logger: logger}
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(d.unary), grpc.ChainStreamInterceptor(d.stream)}
}

// Door is what Interceptors does, for calls that come another way.
func Door(entrance Entrance, logger hclog.Logger) Way {
	if entrance == nil || logger == nil {
		panic("grpcapi: the door needs an entrance and a logger")
	}
	d := &door{entrance: entrance, logger: logger}
	return Way{Unary: d.unary, Stream: d.stream}
}

type door struct {
	entrance Entrance
	logger   hclog.Logger
}

func (d *door) unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
	v := visit{door: d, name: info.FullMethod, method: methodOf(info.FullMethod), asked: in}
	defer func() {
		err = v.failure(err, recover())
		v.count(err)
		v.leave(out, err)
		err = convert.StatusFromError(err).Err()
	}()
	if err = v.enter(ctx); err != nil {
		return nil, err
	}
	return handle(v.ctx, in)
}

// stream counts a stream as admitted once it sends something.
func (d *door) stream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	v := visit{door: d, name: info.FullMethod, method: methodOf(info.FullMethod)}
	refused := v.enter(stream.Context())
	begun := &begunStream{ServerStream: stream, visit: &v}
	defer func() {
		err = v.failure(err, recover())
		if !begun.begun {
			v.count(err)
		}
		v.leave(nil, err)
		err = convert.StatusFromError(err).Err()
	}()
	if refused != nil {
		return refused
	}
	return handle(service, begun)
}

// begunStream is a stream whose context says who began it, and which tells its
// visit what was asked and that something was answered.
type begunStream struct {
	grpc.ServerStream
	visit *visit
	begun bool
}

func (s *begunStream) Context() context.Context { return s.visit.ctx }

func (s *begunStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	// What brings requests is none, and is received beside the handler.
	if s.visit.method.from == anybody {
		return err
	}
	if err == nil && s.visit.asked == nil {
		s.visit.asked = m
	}
	return err
}

func (s *begunStream) SendMsg(m any) error {
	if !s.begun {
		s.begun = true
		s.visit.count(nil)
	}
	return s.ServerStream.SendMsg(m)
}
