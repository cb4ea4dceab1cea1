package grpcapi

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// visit is one request on its way through the door. What enter took leave gives
// back, whatever became of the request between.
type visit struct {
	door   *door
	name   string
	method *method
	// ctx says who makes the request, once enter was called.
	ctx context.Context //nolint:containedctx // it is the request's
	// proved is whom a token in the request has shown to make it; nil where none came.
	proved *candor.Principal
	// asked is the request; nil before a stream has sent it.
	asked any

	place   Place
	account Account
	began   time.Time
}

// enter finds who makes the request, waits for a place for it, refuses whoever may
// not make it, and takes room for its account.
func (v *visit) enter(ctx context.Context) error {
	e := v.door.entrance
	p, unknown := e.Authenticate(ctx)
	v.ctx = withPrincipal(ctx, p)
	if v.bringsToken() {
		v.proved = new(candor.Principal)
		v.ctx = withProof(v.ctx, v.proved)
	}
	if v.method.class == "" || v.method.from == anybody {
		return nil
	}
	place, err := e.Enter(v.ctx, v.method.class, v.method.watch)
	if err != nil {
		return err
	}
	v.place = place
	if err := v.permitted(p, unknown); err != nil {
		return err
	}
	if !v.method.accounted() {
		return nil
	}
	if v.account, err = e.Begin(v.ctx, v.method.class); v.account != nil {
		v.began = time.Now()
	}
	return err
}

// permitted refuses whoever may not call the method at all.
func (v *visit) permitted(p candor.Principal, unknown error) error {
	e := v.door.entrance
	if v.method.from == serversOnly {
		if e.Secured() && (unknown != nil || !isServer(p)) {
			return candor.Errorf(candor.ReasonForbidden, "%s is between servers of the cluster, and the caller is %s", v.name, p.Actor)
		}
		return nil
	}
	if unknown != nil {
		return unknown
	}
	view := e.View()
	switch {
	case v.method.from == everybody, v.method.from == serversToo && isServer(p), v.method.from == joiners && (isServer(p) || v.bringsToken()):
		return nil
	case e.Demands() && view.AccessEpoch() == 0 && !isServer(p):
		return candor.Errorf(candor.ReasonUnauthenticated, "access control has not been opened yet, and this server serves nobody before: `candor auth bootstrap`")
	case v.method.ask.Kind == "":
		return authenticated(view, p)
	default:
		return may(view, p, v.method.ask)
	}
}

// bringsToken says that a server wants to join by a token.
func (v *visit) bringsToken() bool {
	in, ok := v.asked.(*candorv1.JoinRequest)
	return ok && in.GetJoinToken() != ""
}

// leave gives the place back and writes the account of the request, or that it was
// refused.
func (v *visit) leave(out any, err error) {
	if v.place != nil {
		v.place.Done()
	}
	switch {
	case v.account != nil:
		v.account.End(v.note(out, err))
	case err != nil && v.method.class != "" && denied(err):
		v.door.entrance.Refused(v.ctx, v.note(out, err))
	}
}

// denied says that the request was refused for want of a right or an identity.
func denied(err error) bool {
	reason := candor.ReasonOf(err)
	return reason == candor.ReasonForbidden || reason == candor.ReasonUnauthenticated
}

// count tells what became of the admission.
func (v *visit) count(err error) {
	if !v.method.accounted() {
		return
	}
	if isDecided(err) {
		err = nil
	}
	v.door.entrance.Judged(v.ctx, v.method.class, v.name, err)
}

// failure is the error that a client gets, with the witness of this node where
// none was taken when it was decided. Peers get no witness: theirs is the one
// that the client wants.
func (v *visit) failure(err error, panicked any) error {
	if panicked != nil {
		v.door.logger.Error("handler panicked", "method", v.name, "panic", panicked, "stack", string(debug.Stack()))
		err = candor.Errorf(candor.ReasonInternal, "%s failed inside the server; its log has the stack", v.name)
	}
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || !v.method.accounted() {
		return err
	}
	told := *e
	if told.Witness == nil {
		w := v.door.entrance.Witness()
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
