package grpcapi

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"

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
}

// Interceptors count the admission of every request of the services for
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

type door struct {
	entrance Entrance
	logger   hclog.Logger
}

func (d *door) unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
	class := classes[info.FullMethod]
	var account Account
	var began time.Time
	defer func() {
		err = d.failure(info.FullMethod, class, err, recover())
		d.count(ctx, class, info.FullMethod, err)
		d.settle(account, ctx, info.FullMethod, in, out, err, began)
		err = convert.StatusFromError(err).Err()
	}()
	if ctx, err = d.admit(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	if account, err = d.open(ctx, class); err != nil {
		return nil, err
	}
	if account != nil {
		began = time.Now()
	}
	return handle(ctx, in)
}

// open takes room for the account of a client's request.
func (d *door) open(ctx context.Context, class candor.AdmissionClass) (Account, error) {
	if class == "" {
		return nil, nil //nolint:nilnil // servers are not accounted for
	}
	return d.entrance.Begin(ctx, class)
}

// settle writes the account of a request, or that it was refused.
func (d *door) settle(account Account, ctx context.Context, method string, in, out any, err error, began time.Time) { //nolint:revive // the account is whose method this is
	switch {
	case account != nil:
		account.End(d.note(ctx, method, in, out, err, began))
	case err != nil:
		d.entrance.Refused(ctx, d.note(ctx, method, in, out, err, began))
	}
}

// admit finds who makes the request, and refuses whoever may not make it at all.
// It returns a context that says who it is.
func (d *door) admit(ctx context.Context, method string) (context.Context, error) {
	p, err := d.entrance.Authenticate(ctx)
	ctx = withPrincipal(ctx, p)
	takes, known := rights[method]
	if !known {
		// Of servers, health and reflection.
		if strings.HasPrefix(method, peerMethods) && d.entrance.Secured() && !isServer(p) {
			return ctx, candor.Errorf(candor.ReasonForbidden, "%s is between servers of the cluster, and the caller is %s", method, p.Actor)
		}
		return ctx, nil
	}
	if err != nil {
		return ctx, err
	}
	view := d.entrance.View()
	switch {
	case takes.open:
		return ctx, nil
	case d.entrance.Demands() && view.AccessEpoch() == 0 && !isServer(p):
		return ctx, candor.Errorf(candor.ReasonUnauthenticated, "access control has not been opened yet, and this server serves nobody before: `candor auth bootstrap`")
	case takes.join && isServer(p):
		return ctx, nil
	case takes.ask.Kind == "":
		return ctx, authenticated(view, p)
	default:
		return ctx, may(view, p, takes.ask)
	}
}

// stream counts a stream as admitted once it sends something.
func (d *door) stream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	class := classes[info.FullMethod]
	ctx, refused := d.admit(stream.Context(), info.FullMethod)
	var account Account
	if refused == nil {
		account, refused = d.open(ctx, class)
	}
	began := time.Now()
	begun := &begunStream{ServerStream: &knownStream{ServerStream: stream, ctx: ctx}, begin: func() { d.count(ctx, class, info.FullMethod, nil) }}
	defer func() {
		err = d.failure(info.FullMethod, class, err, recover())
		if !begun.begun {
			d.count(ctx, class, info.FullMethod, err)
		}
		d.settle(account, ctx, info.FullMethod, nil, nil, err, began)
		err = convert.StatusFromError(err).Err()
	}()
	if refused != nil {
		return refused
	}
	return handle(service, begun)
}

type begunStream struct {
	grpc.ServerStream
	begun bool
	begin func()
}

func (s *begunStream) SendMsg(m any) error {
	if !s.begun {
		s.begun = true
		s.begin()
	}
	return s.ServerStream.SendMsg(m)
}

func (d *door) count(ctx context.Context, class candor.AdmissionClass, method string, err error) {
	if class == "" {
		return
	}
	if isDecided(err) {
		err = nil
	}
	d.entrance.Judged(ctx, class, method, err)
}

// failure is the error that a client gets, with the witness of this node where
// none was taken when it was decided. Peers get no witness: theirs is the one
// that the client wants.
func (d *door) failure(method string, class candor.AdmissionClass, err error, panicked any) error {
	if panicked != nil {
		d.logger.Error("handler panicked", "method", method, "panic", panicked, "stack", string(debug.Stack()))
		err = candor.Errorf(candor.ReasonInternal, "%s failed inside the server; its log has the stack", method)
	}
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || class == "" {
		return err
	}
	told := *e
	if told.Witness == nil {
		w := d.entrance.Witness()
		told.Witness = &w
	}
	if hint := told.Witness.Leader; hint != nil && (told.Leader == nil || told.Leader.Address == "" && told.Leader.ServerID == hint.ServerID) {
		told.Leader = hint
	}
	if isDecided(err) {
		return &decided{&told}
	}
	return &told
}

// decided is an error that the turn answered with: its request was admitted.
type decided struct{ err error }

func (d *decided) Error() string { return d.err.Error() }
func (d *decided) Unwrap() error { return d.err }

func isDecided(err error) bool {
	_, ok := errors.AsType[*decided](err)
	return ok
}
