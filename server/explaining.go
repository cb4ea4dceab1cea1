package server

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/server/explain"
)

// explaining is how the API explains: package explain on what this server knows.
type explaining struct{ *explain.Explainer }

func (s *Server) explaining() explaining {
	return explaining{explain.New(&world{&duties{s}}, &remembering{s}, &scheduled{s})}
}

func (e explaining) Why(ctx context.Context, view *fsm.View, subject candor.VersionRef, actor string, mayRead func(candor.Ref) error) (*candor.Explanation, error) {
	return e.Explainer.Why(ctx, view, explain.Question{Subject: subject, Actor: actor, MayRead: mayRead})
}

func (e explaining) Plan(ctx context.Context, view *fsm.View, refs []candor.Ref, objects []*candor.Object) (*candor.Plan, error) {
	wanted := make([]explain.Wanted, len(refs))
	for i := range refs {
		wanted[i] = explain.Wanted{Ref: refs[i], Object: objects[i]}
	}
	return e.Explainer.Plan(ctx, view, wanted)
}

// world is what explanations know of this server beside its view.
type world struct{ duties *duties }

func (w *world) ClusterTime() int64             { return w.duties.ClusterTime() }
func (w *world) ServerName(id string) string    { return w.duties.MemberName(id) }
func (w *world) Journals() []transition.Journal { return w.duties.Journals() }

// remembering is what is remembered of requests here.
type remembering struct{ s *Server }

func (r *remembering) Find(actor, requestID string) (candor.Outcome, candor.Reason, candor.Token) {
	return outcomes{r.s.replica.Outcomes}.Find(actor, requestID)
}

func (r *remembering) Remembered(actor, requestID string) (fsm.Remembered, bool) {
	return r.s.machine.Outcome(actor, requestID)
}
