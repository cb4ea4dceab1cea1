package cli

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// lastWord is how long the watch may be behind the answer of what it shows.
const lastWord = time.Second

// following shows the steps of a change of the members as they are made: from the
// objects, so that it goes on whichever server leads.
type following struct {
	*Factory
	remote *Remote
	kind   string
	server string
	// target is the server ID, empty where it is not known.
	target string
	names  names
	events Events
	// id is the transition, once it was seen.
	id   string
	seen map[string]bool
}

func newFollowing(f *Factory, remote *Remote, kind, server string) *following {
	return &following{Factory: f, remote: remote, kind: kind, server: server, seen: map[string]bool{}}
}

// begin starts to watch, before the change is asked for. That it cannot is said, and
// keeps nobody from changing anything.
func (w *following) begin(ctx context.Context) {
	w.names = w.memberNamesByID(ctx, w.remote)
	for id, name := range w.names {
		if id == w.server || name == w.server {
			w.target = id
		}
	}
	if w.target == "" {
		return // the cluster refuses it
	}
	events, err := w.remote.Watch(ctx, client.WatchOptions{Kind: candor.KindTransitions})
	if err != nil {
		w.blind(err)
		return
	}
	w.events = events
	list, err := w.remote.Transitions.List(ctx, true, client.WithoutSession())
	if err != nil {
		return // what is planned from now on is seen all the same
	}
	for i := range list.Transitions {
		if t := &list.Transitions[i]; t.Kind == w.kind && t.Target == w.target {
			w.id = t.ID
			w.Narrate("transition %s was planned before and goes on", output.Clean(t.ID))
		}
	}
}

func (w *following) blind(err error) {
	w.Narrate("the steps cannot be shown: %s", output.Clean(said(err)))
}

// show tells each step until the change has ended or ctx has.
func (w *following) show(ctx context.Context) {
	if w.events == nil {
		return
	}
	// What is left of the watch is of no use to anybody.
	defer func() { _ = w.events.Close() }()
	for {
		batch, err := w.events.Next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				w.blind(err)
			}
			return
		}
		for _, event := range batch.Events {
			if event.Object == nil || event.Type == candor.EventDeleted {
				continue
			}
			if t, err := client.TransitionOf(event.Object); err == nil && w.tell(t) {
				return
			}
		}
	}
}

// tell says whether the change itself has ended.
func (w *following) tell(t *client.Transition) (over bool) {
	switch {
	case t.Kind == w.kind && t.Target == w.target && (w.id == "" || w.id == t.ID):
		w.id = t.ID
		if !t.Ended() && !w.seen[t.ID] {
			w.Narrate("planned: %s, transition %s", output.Clean(w.names.deed(t)), output.Clean(t.ID))
			if intentOf(t).Force && t.PlanMessage != "" {
				w.Narrate("forced: %s", output.Clean(t.PlanMessage))
			}
		}
		w.seen[t.ID] = true
		return t.Ended()
	case t.Parent == "" || t.Parent != w.id:
		return false
	case !t.Ended():
		w.Narrate("step: %s", output.Clean(w.names.deed(t)))
	case t.Succeeded():
		w.Narrate("step: %s: %s%s", output.Clean(w.names.deed(t)), output.Clean(t.Phase), afterText(t))
	default:
		w.Narrate("step: %s: %s: %s", output.Clean(w.names.deed(t)), output.Clean(t.Phase), output.Clean(t.Message))
	}
	return false
}
