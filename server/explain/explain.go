// Package explain says why things are as they are, on one view of the state: the
// headline, what was decided, the chain of versions that led there, and what comes next.
//
// It guarantees that every sentence follows from the view and from what its callers'
// interfaces tell, that the chain ends (at the intent of a client, at what is compacted,
// at what the reader may not read, or after MaxLinks), and that it says which. It changes
// nothing. Package server makes it; the API calls it concurrently.
package explain

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/transition"
)

// World is what a server knows beside its view.
type World interface {
	// ClusterTime is about what it is now.
	ClusterTime() int64
	// ServerName is that of a server ID; empty for one that is not known.
	ServerName(id string) string
	// Journals are what this server's executor does about transitions.
	Journals() []transition.Journal
}

// Requests is what is remembered of requests.
type Requests interface {
	// Find is how far the attempts came that this server took; empty for none.
	Find(actor, requestID string) (candor.Outcome, candor.Reason, candor.Token)
	// Remembered is what the root accepted.
	Remembered(actor, requestID string) (fsm.Remembered, bool)
}

// Scheduler is what decides about instances. Its errors do not undo an explanation:
// they become one of its facts.
type Scheduler interface {
	// Explain completes the explanation of an instance or a workload at the view: the
	// verdicts on nodes, the smallest changes, what it waits for, and the replay.
	Explain(ctx context.Context, view *fsm.View, x *candor.Explanation) error
	// WhyNot is the explanation of an instance, or of the next of a workload, on one node.
	WhyNot(ctx context.Context, view *fsm.View, of candor.VersionRef, node string) (*candor.Explanation, error)
	// Replay decides again and returns the digest that it came to.
	Replay(ctx context.Context, view *fsm.View, d *candor.Decision, of candor.VersionRef) (replay candor.Replay, digest string, err error)
	// Place adds to a plan what would come of its objects: instances, their places, who
	// moves or goes for them. Objects are prepared as they would be applied.
	Place(ctx context.Context, view *fsm.View, objects []*candor.Object, plan *candor.Plan) error
}

// Explainer explains.
type Explainer struct {
	world     World
	requests  Requests
	scheduler Scheduler
}

// New returns an Explainer.
func New(world World, requests Requests, scheduler Scheduler) *Explainer {
	if world == nil || requests == nil || scheduler == nil {
		panic("explain: every dependency is required")
	}
	return &Explainer{world: world, requests: requests, scheduler: scheduler}
}

// Question is what is asked for, and by whom.
type Question struct {
	// Subject is a version; revision 0 is the newest, also of an object that is gone.
	Subject candor.VersionRef
	// Actor is whose requests are told of.
	Actor string
	// MayRead is nil for an object that the reader may read.
	MayRead func(candor.Ref) error
}

// Why explains. NOT_FOUND is an error; that nothing led to a version is none.
func (e *Explainer) Why(ctx context.Context, view *fsm.View, q Question) (*candor.Explanation, error) {
	if q.Subject.Kind == candor.SubjectMembers {
		return e.member(view, q)
	}
	if q.Subject.Kind == candor.SubjectRequests {
		return e.request(view, q)
	}
	v, err := subject(view, q.Subject)
	if err != nil {
		return nil, err
	}
	o, err := v.Object()
	if err != nil {
		return nil, err
	}
	x := &candor.Explanation{Subject: candor.VersionRef{Ref: q.Subject.Ref, Revision: v.Revision}}
	s := &story{view: view, question: q, world: e.world}
	x.Because = s.chain(v, o)
	switch {
	case v.Deleted:
		s.gone(x, o)
		return x, nil
	case q.Subject.Kind == candor.KindTenures:
		x.Because = nil // the root itself writes them; their eras are the story
		e.tenure(s, x, o)
	case q.Subject.Kind == candor.KindTransitions:
		e.transition(s, x, o)
	case q.Subject.Kind == candor.KindInstances:
		s.instance(x, o)
	case q.Subject.Kind == candor.KindWorkloads:
		s.workload(x, o)
	case q.Subject.Kind == candor.KindNodes:
		s.node(x, o)
	default:
		s.object(x, o)
	}
	s.ending(x, o)
	if k := q.Subject.Kind; k == candor.KindInstances || k == candor.KindWorkloads {
		if err := e.scheduler.Explain(ctx, view, x); err != nil {
			x.Facts = append(x.Facts, "the placement cannot be looked at more closely: "+said(err))
		}
	}
	return x, nil
}

// WhyNot explains why an instance, or the next of a workload, is not on a node.
func (e *Explainer) WhyNot(ctx context.Context, view *fsm.View, of candor.Ref, node string) (*candor.Explanation, error) {
	if of.Kind != candor.KindInstances && of.Kind != candor.KindWorkloads {
		return nil, candor.Errorf(candor.ReasonInvalid, "%s: instances and workloads are placed, objects of kind %s are not", of, of.Kind)
	}
	if node == "" {
		return nil, candor.Errorf(candor.ReasonInvalid, "why not on which node?")
	}
	v, err := view.Get(of, 0)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, missing(view, of)
	}
	return e.scheduler.WhyNot(ctx, view, candor.VersionRef{Ref: of, Revision: v.Revision}, node)
}

// subject is the version that is asked for: the newest, or the one that stood at a
// revision.
func subject(view *fsm.View, of candor.VersionRef) (*mvcc.Version, error) {
	if of.Revision != 0 {
		if err := view.Readable(of.Revision); err != nil {
			return nil, err
		}
	}
	var found *mvcc.Version
	view.Chain(of.Ref, func(v *mvcc.Version) bool {
		if of.Revision != 0 && v.Revision > of.Revision {
			return true
		}
		found = v
		return false
	})
	if found == nil {
		return nil, missing(view, of.Ref)
	}
	return found, nil
}

// missing is NOT_FOUND, and what may be the reason.
func missing(view *fsm.View, ref candor.Ref) error {
	message := ref.String() + " does not exist"
	if view.Floor() > 1 {
		message += ", and if it did, that is compacted (nothing before revision " + number(view.Floor()) + " is kept for sure)"
	}
	return &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Revision: view.Token().Revision, Message: message}
}
