package grpcapi

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

const (
	// mostRegistrations bounds one request, registering how many of its nodes are
	// written at a time.
	mostRegistrations = 256
	registering       = 64

	workerActor = string(candor.PartyWorker) + "/"
)

// Workers is the service that workers speak to about their nodes.
type Workers struct {
	candorv1.UnimplementedWorkerServiceServer
	objects *Objects
	leases  leasing
}

// NewWorkers returns the service.
func NewWorkers(machine *fsm.Machine, reader Reader, proposer Proposer, kinds Kinds) *Workers {
	if machine == nil || reader == nil || proposer == nil || kinds == nil {
		panic("grpcapi: every dependency of the worker service is required")
	}
	return &Workers{objects: &Objects{machine: machine, reader: reader, proposer: proposer, kinds: kinds}}
}

// Register has nodes taken over by a worker that starts. What is refused is told node
// by node.
func (s *Workers) Register(ctx context.Context, in *candorv1.RegisterRequest) (*candorv1.RegisterResponse, error) {
	nodes := in.GetNodes()
	if n := len(nodes); n == 0 || n > mostRegistrations {
		return nil, candor.Errorf(candor.ReasonInvalid, "%d nodes: want 1 to %d in one request", n, mostRegistrations)
	}
	for _, n := range nodes {
		if err := ownNode(ctx, n.GetName()); err != nil {
			return nil, err
		}
	}
	out := &candorv1.RegisterResponse{Nodes: make([]*candorv1.RegisteredNode, len(nodes))}
	places := make(chan struct{}, registering)
	var all sync.WaitGroup
	for i, n := range nodes {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			out.Nodes[i] = s.registered(ctx, n)
		})
	}
	all.Wait()
	if err := everyNode(out.GetNodes()); err != nil {
		return nil, err
	}
	out.Witness = unasked(s.objects.reader.Witness(s.objects.machine.View()))
	return out, nil
}

// everyNode is the error where some node was refused for want of a right, which is
// nothing about the node, or all of them for a reason that passes: so that the refusal
// is accounted for, and the caller goes elsewhere or comes again. NODE_HELD passes too,
// and the worker is to know of it at once: it is the node's.
func everyNode(nodes []*candorv1.RegisteredNode) error {
	lasting := false
	for _, n := range nodes {
		switch reason := candor.Reason(n.GetReason()); {
		case reason == candor.ReasonForbidden || reason == candor.ReasonUnauthenticated:
			return candor.Errorf(reason, "%s", n.GetMessage())
		case reason == "" || reason == candor.ReasonNodeHeld || reason.Disposition().Retry == candor.RetryNever:
			lasting = true
		}
	}
	if lasting {
		return nil
	}
	return candor.Errorf(candor.Reason(nodes[0].GetReason()), "%s", nodes[0].GetMessage())
}

func (s *Workers) registered(ctx context.Context, n *candorv1.NodeRegistration) *candorv1.RegisteredNode {
	node, err := s.register(ctx, n)
	if err == nil {
		return node
	}
	message := err.Error()
	if e, ok := errors.AsType[*candor.Error](err); ok {
		message = e.Message
	}
	return &candorv1.RegisteredNode{Reason: string(candor.ReasonOf(err)), Message: message}
}

// register makes the node where it is not there, then observes it. Whether it is
// there the turn decides: this view may be behind.
func (s *Workers) register(ctx context.Context, n *candorv1.NodeRegistration) (*candorv1.RegisteredNode, error) {
	ref := candor.Ref{Kind: candor.KindNodes, Name: n.GetName()}
	create, observe, err := nodeOf(n)
	if err != nil {
		return nil, err
	}
	// Both, before the first of two turns: a node that its worker may not observe is not made.
	if err := s.objects.permitted(ctx, []command.Operation{
		{Verb: command.VerbObserve, Kind: ref.Kind, Name: ref.Name}, {Verb: command.VerbCreate, Kind: ref.Kind, Object: create},
	}); err != nil {
		return nil, err
	}
	w := &candorv1.WriteOptions{Reason: "WORKER_REGISTERED", Message: "its worker started"}
	for attempt := 1; ; attempt++ {
		live, err := s.objects.live(ref)
		if err != nil {
			return nil, err
		}
		if err := s.free(live, n.GetSession()); err != nil {
			return nil, err
		}
		exists := command.Compare{Condition: command.IfExists, Ref: ref}
		if live != nil {
			exists.Number = 1
		}
		result, err := s.objects.propose(ctx, w, 0, []command.Compare{exists}, func() (then, otherwise []command.Operation, err error) {
			return s.operation(live == nil, create, observe)
		})
		if err != nil {
			return nil, err
		}
		if result.Succeeded && live != nil {
			return s.answer(result)
		}
		if attempt > validations {
			return nil, candor.Errorf(candor.ReasonConflict, "node %s was made and deleted %d times while its worker registered", n.GetName(), attempt)
		}
		if err := s.objects.proposer.WaitApplied(ctx, result.Token.Index); err != nil {
			return nil, err
		}
	}
}

// free refuses a node of another worker that lives, with NODE_HELD: of one whose session
// begins differently, up to the first dot, and whose lease lasts. It keeps two machines of one
// name from taking the node from one another in turns; where this view is behind they
// do, and beats tell the former one.
func (s *Workers) free(live *candor.Object, session string) error {
	if live == nil {
		return nil
	}
	view := s.objects.machine.View()
	held, ok := view.Lease(live.Metadata.UID)
	if !ok || workerOf(held.Session) == workerOf(session) {
		return nil
	}
	lasts := max(s.leases.of(view, live.Metadata.Labels), lease(held.Promised))
	left := time.Duration(lasts - leaseSince(held.Beat, view.ClusterTime()))
	if left <= 0 {
		return nil
	}
	return &candor.Error{
		Reason: candor.ReasonNodeHeld, Subject: live.Metadata.Name, RetryAfter: left,
		Message: "another worker has node " + live.Metadata.Name + " (session " + held.Session + "), and was heard of a moment ago: a name is one worker's, and free once that one is silent for " + left.Round(time.Second).String(),
	}
}

func workerOf(session string) string {
	worker, _, _ := strings.Cut(session, ".")
	return worker
}

// operation makes the node, or observes it: a transaction changes an object once.
func (s *Workers) operation(absent bool, create *candor.Object, observe *candorv1.ObserveRequest) (then, otherwise []command.Operation, err error) {
	var op command.Operation
	if absent {
		op, err = s.objects.createOperation(create)
	} else {
		op, err = s.objects.statusOperation(command.VerbObserve, observe)
	}
	return []command.Operation{op}, nil, err
}

func (s *Workers) answer(result *fsm.Result) (*candorv1.RegisteredNode, error) {
	last := result.Ops[len(result.Ops)-1].Version
	node, err := decode(last)
	if err != nil {
		return nil, err
	}
	within := s.leases.of(s.objects.machine.View(), node.Metadata.Labels)
	return &candorv1.RegisteredNode{Node: objectOf(last), DetectWithin: within.toProto(), HeartbeatInterval: within.interval()}, nil
}

// Heartbeat says that workers live.
func (s *Workers) Heartbeat(ctx context.Context, in *candorv1.HeartbeatRequest) (*candorv1.HeartbeatResponse, error) {
	if n := len(in.GetBeats()); n == 0 || n > command.MaxBeats {
		return nil, candor.Errorf(candor.ReasonInvalid, "%d beats: want 1 to %d in one request", n, command.MaxBeats)
	}
	p, view := PrincipalOf(ctx), s.objects.machine.View()
	if err := checkActor(p.Actor); err != nil {
		return nil, err
	}
	beats, within := make([]command.Beat, len(in.GetBeats())), make([]lease, len(in.GetBeats()))
	for i, b := range in.GetBeats() {
		if err := ownNode(ctx, b.GetNode()); err != nil {
			return nil, err
		}
		// Judged here alone: to the root, a server reports whom it heard. A beat that comes
		// after its right was taken away makes a node look alive until the next one.
		if err := may(view, p, policy.Ask{Verb: policy.Update, Kind: string(candor.KindNodes), Name: b.GetNode(), Section: policy.Observed}); err != nil {
			return nil, err
		}
		// The promise is what the answer lets the worker count on: both are of this view.
		within[i] = s.leases.named(view, b.GetNode())
		beats[i] = command.Beat{Node: b.GetNode(), UID: b.GetUid(), Session: b.GetSession(), Promised: within[i].promised()}
	}
	result, err := s.objects.proposer.Propose(ctx, command.Beats(beats...), 0)
	if err != nil {
		return nil, err
	}
	if err := result.Err(); err != nil {
		return nil, &decided{err}
	}
	if len(result.Items) != len(beats) {
		return nil, candor.Errorf(candor.ReasonInternal, "%d beats had %d results", len(beats), len(result.Items))
	}
	out := &candorv1.HeartbeatResponse{Results: make([]*candorv1.BeatResult, len(beats)), ClusterTime: s.objects.machine.View().ClusterTime()}
	var shortest lease
	for i := range result.Items {
		if result.Items[i].Reason == "" && (shortest == 0 || within[i] < shortest) {
			shortest = within[i]
		}
		out.Results[i] = &candorv1.BeatResult{Reason: string(result.Items[i].Reason), Message: result.Items[i].Message}
	}
	if shortest > 0 {
		out.DetectWithin, out.HeartbeatInterval = shortest.toProto(), shortest.interval()
	}
	return out, nil
}

// ownNode refuses a worker that is known by its certificate and speaks of another
// node than its own.
func ownNode(ctx context.Context, name string) error {
	p := PrincipalOf(ctx)
	own, isWorker := strings.CutPrefix(p.Actor, workerActor)
	if p.Proof != candor.ProofCertificate || !isWorker || own == name {
		return nil
	}
	return &candor.Error{Reason: candor.ReasonForbidden, Subject: name,
		Message: p.Actor + " may not speak for node " + name + ": a worker speaks for the node of its own name"}
}

// nodeOf is the object of a node that is not there yet, and what its worker observes.
func nodeOf(n *candorv1.NodeRegistration) (*candor.Object, *candorv1.ObserveRequest, error) {
	if n.GetSession() == "" {
		return nil, nil, candor.Errorf(candor.ReasonInvalid, "node %s has no session: a worker draws one at each start", n.GetName())
	}
	capacity, err := json.Marshal(n.GetCapacity())
	if err != nil {
		return nil, nil, err
	}
	observed := candor.NodeObserved{
		Session: n.GetSession(), BootID: n.GetBootId(), Version: n.GetVersion(), OS: n.GetOs(), Arch: n.GetArch(),
		Address: n.GetAddress(), Simulated: n.GetSimulated(),
	}
	if err := json.Unmarshal(capacity, &observed.Capacity); err != nil {
		return nil, nil, err
	}
	var spec candor.NodeSpec
	for _, t := range n.GetTaints() {
		spec.Taints = append(spec.Taints, candor.Taint{Key: t.GetKey(), Value: t.GetValue(), Effect: candor.TaintEffect(t.GetEffect())})
	}
	desired, err := json.Marshal(spec)
	if err != nil {
		return nil, nil, err
	}
	seen, err := json.Marshal(observed)
	if err != nil {
		return nil, nil, err
	}
	object := &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Node", Spec: desired,
		Metadata: candor.Metadata{Name: n.GetName(), Labels: n.GetLabels()},
	}
	return object, &candorv1.ObserveRequest{Kind: string(candor.KindNodes), Name: n.GetName(), Observed: seen}, nil
}
