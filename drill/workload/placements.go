package workload

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// placements have instances placed: clients create, scale, change and delete workloads,
// on the nodes that there are, or where there are none on simulated ones of its own. What
// the root made of it is read at the end: every version of every instance and node, and
// what comes of deciding again.
type placements struct {
	// simulate: there were no nodes.
	simulate bool
	seen     seen
}

func (*placements) Name() string { return Placements }

const (
	placementClients = 2
	placementKeys    = 4
	placementPause   = 250 * time.Millisecond
	mostReplicas     = 6
	// again is how many decisions are taken again at most at the end; during the run it
	// is one each againPause.
	again      = 60
	againPause = time.Second
)

func (p *placements) Prepare(ctx context.Context, e *Env) error {
	k, err := e.Client()
	if err != nil {
		return candor.Wrap("prepare "+Placements, err)
	}
	err = persist(ctx, func(ctx context.Context) error {
		page, err := k.List(ctx, candor.KindNodes, client.ListOptions{Limit: 1})
		if err != nil {
			return err
		}
		p.simulate = len(page.Objects) == 0
		return declareNamespace(ctx, k, NamespaceOf(Placements))
	})
	return candor.Wrap("prepare "+Placements, firstOf(err, k.Close()))
}

func (p *placements) Run(ctx context.Context, e *Env) error {
	c := crew{env: e}
	keys, pause := e.keys(placementKeys), e.pause(placementPause)
	hands, err := c.several(Placements, e.clients(placementClients)+3)
	if err != nil {
		return err
	}
	observer, worker, auditor := hands[0], hands[1], hands[2]
	c.wait.Go(func() { p.seen.follow(ctx, observer) })
	if p.simulate {
		nodes := newNodes(worker)
		c.wait.Go(func() { nodes.beat(ctx) })
		c.wait.Go(func() { nodes.work(ctx) })
	}
	c.repeats(ctx, auditor, againPause, func(ctx context.Context, h *hand) {
		if decisions := p.seen.decided(); len(decisions) > 0 {
			// Who does not answer now is asked at the end.
			_ = decideAgain(ctx, h.env, h.client, decisions[h.random.IntN(len(decisions))])
		}
	})
	for _, h := range hands[3:] {
		c.repeats(ctx, h, pause, func(ctx context.Context, h *hand) { change(ctx, h, fmt.Sprintf("app-%d", h.random.IntN(keys))) })
	}
	return c.done()
}

// change is one turn: what a user does to a workload.
func change(ctx context.Context, h *hand, name string) {
	ctx, cancel := writing(ctx)
	defer cancel()
	ref := candor.Ref{Kind: candor.KindWorkloads, Namespace: NamespaceOf(Placements), Name: name}
	replicas := h.random.IntN(mostReplicas + 1)
	var err error
	switch n := h.random.IntN(100); {
	case n < 12:
		_, err = h.client.Delete(ctx, ref)
	case n < 30:
		_, err = h.client.Patch(ctx, ref, client.PatchMerge, fmt.Appendf(nil, `{"spec":{"template":{"env":{"EDITION":%q}}}}`, h.fresh()))
	default:
		_, err = h.client.Patch(ctx, ref, client.PatchMerge, fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas))
	}
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		// Another client may be first, and refusals have no other consequence here: what
		// became of it all is read at the end.
		_, _ = h.client.Create(ctx, app(name, replicas))
	}
}

// app is a workload of small instances.
func app(name string, replicas int) *candor.Object {
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Workload", Metadata: candor.Metadata{Namespace: NamespaceOf(Placements), Name: name},
		Spec: fmt.Appendf(nil, `{"replicas":%d,"template":{"command":["drill"],"resources":{"cpu":"1","memory":"1Gi"}}}`, replicas),
	}
}

// Finish reads the versions of what was placed and of what it was placed on, and has a
// sample of the decisions taken again.
func (p *placements) Finish(ctx context.Context, e *Env) error {
	k, err := e.Client()
	if err != nil {
		return candor.Wrap("finish "+Placements, err)
	}
	err = p.seen.list(ctx, k)
	for _, ref := range p.seen.refs() {
		if err == nil {
			err = e.versions(ctx, k, ref, nil)
		}
	}
	if err == nil {
		err = p.decideAgain(ctx, e, k)
	}
	return candor.Wrap("finish "+Placements, firstOf(err, k.Close()))
}

func (p *placements) decideAgain(ctx context.Context, e *Env, k *client.Client) error {
	decisions := p.seen.decided()
	order := e.Rand.Perm(len(decisions))
	for _, i := range order[:min(again, len(order))] {
		if err := persist(ctx, func(ctx context.Context) error { return decideAgain(ctx, e, k, decisions[i]) }); err != nil {
			return err
		}
	}
	return nil
}

// decideAgain records what comes of it, if the decision is still kept: a later one takes
// its place.
func decideAgain(ctx context.Context, e *Env, k *client.Client, d decision) error {
	ctx, cancel := reading(ctx)
	defer cancel()
	replayed, err := k.ReplayDecision(ctx, client.WhichDecision{ID: d.id})
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	e.Recorder.Decision(d.id, d.instance, replayed.Replay)
	return nil
}

// seen is which instances and nodes there have been.
type seen struct {
	mu        sync.Mutex
	known     map[candor.Ref]bool
	order     []candor.Ref
	decisions []decision
	taken     map[string]bool
}

type decision struct{ id, instance string }

func (s *seen) note(kind candor.KindName, o *candor.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known, s.taken = map[candor.Ref]bool{}, map[string]bool{}
	}
	ref := candor.Ref{Kind: kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
	if !s.known[ref] {
		s.known[ref] = true
		s.order = append(s.order, ref)
	}
	if d := decisionOf(kind, o); d != "" && !s.taken[d] {
		s.taken[d] = true
		s.decisions = append(s.decisions, decision{d, ref.Key()})
	}
}

func (s *seen) refs() []candor.Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

func (s *seen) decided() []decision {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.decisions)
}

// list notes all that is there.
func (s *seen) list(ctx context.Context, k *client.Client) error {
	for _, kind := range []candor.KindName{candor.KindNodes, candor.KindInstances} {
		if err := persist(ctx, func(ctx context.Context) error {
			for o, err := range k.All(ctx, kind, client.ListOptions{}) {
				if err != nil {
					return err
				}
				s.note(kind, o)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// follow notes instances from their beginning on, so that those are known too that are
// gone at the end.
func (s *seen) follow(ctx context.Context, h *hand) {
	for ctx.Err() == nil {
		s.watch(ctx, h)
		passes(ctx, refusedRest)
	}
}

func (s *seen) watch(ctx context.Context, h *hand) {
	if err := s.list(ctx, h.client); err != nil {
		return
	}
	weak := []client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort)}
	w, err := h.client.Watch(ctx, client.WatchOptions{Kind: candor.KindInstances, Namespace: NamespaceOf(Placements), Read: weak})
	if err != nil {
		return
	}
	defer func() { _ = w.Close() }()
	for {
		batch, err := w.Next(ctx)
		if err != nil {
			return
		}
		for i := range batch.Events {
			s.note(candor.KindInstances, batch.Events[i].Object)
		}
	}
}
