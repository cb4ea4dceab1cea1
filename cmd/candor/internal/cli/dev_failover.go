package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// failover kills the leader, and a worker where there are two, and shows what comes of
// it.
func (s *devShow) failover(ctx context.Context, stage *devStage, was *devScene) error {
	leader, err := s.leader(ctx)
	if err != nil {
		return err
	}
	before, err := s.count(ctx)
	if err != nil {
		return err
	}
	victim := s.busiest(was)
	if victim != "" {
		s.say("kill -9 %s, a worker that runs %d instances", victim, was.on(victim))
		if err := s.cluster.Act("kill", victim); err != nil {
			return err
		}
	}
	s.say("kill -9 %s, the leader, with %d objects acknowledged", leader.Name, before)
	if err := s.cluster.Act("kill", leader.Name); err != nil {
		return err
	}
	killed := s.Now()
	if err := s.succeeded(ctx, leader, killed, before); err != nil {
		return err
	}
	if err := s.cluster.Act("start", leader.Name); err != nil {
		return err
	}
	s.say("%s starts again", leader.Name)
	if victim == "" {
		return s.converged(ctx)
	}
	is, err := s.settled(ctx, stage, "what ran on "+victim+" is made anew elsewhere", victim)
	if err != nil {
		return err
	}
	s.say("what ran on %s runs elsewhere, %s after the kill", victim, seconds(s.Now().Sub(killed)))
	stage.close(is)
	if err := s.comesBack(ctx, victim); err != nil {
		return err
	}
	if err := s.converged(ctx); err != nil {
		return err
	}
	return s.tells(ctx, was, is, victim)
}

// succeeded waits for a new leader that takes a write, and counts what it has.
func (s *devShow) succeeded(ctx context.Context, leader *candor.LeaderHint, killed time.Time, before int) error {
	probe := candor.Ref{Kind: candor.KindNamespaces, Name: "default"}
	if err := s.waitUntil(ctx, "a new leader takes a write", func(ctx context.Context) (string, error) {
		_, err := s.client.Patch(ctx, probe, client.PatchMerge, []byte(`{"metadata":{"annotations":{"candor.dev/failover":"`+leader.Name+`"}}}`))
		return "", err
	}); err != nil {
		return err
	}
	gap := s.Now().Sub(killed)
	next, err := s.leader(ctx)
	if err != nil {
		return err
	}
	after, err := s.count(ctx)
	if err != nil {
		return err
	}
	if after != before {
		return candor.Errorf(candor.ReasonInvariantViolated, "%d objects were acknowledged before the leader was killed, %d are there after it", before, after)
	}
	s.say("%s leads in term %d and took a write %s after the kill; %d objects, none lost", next.Name, next.Term, seconds(gap), after)
	return nil
}

// comesBack starts the killed worker, which ends what the cluster has given up.
func (s *devShow) comesBack(ctx context.Context, victim string) error {
	left, err := s.cluster.Running(victim)
	if err != nil {
		return err
	}
	s.say("%s starts again; %d processes of its instances still run, and count for nobody", victim, left)
	if err := s.cluster.Act("start", victim); err != nil {
		return err
	}
	if err := s.waitUntil(ctx, victim+" has ended what was given up", func(context.Context) (string, error) {
		left, err := s.cluster.Running(victim)
		if left > 0 {
			return fmt.Sprintf("%d run", left), err
		}
		return "", err
	}); err != nil {
		return err
	}
	if err := s.waitUntil(ctx, victim+" is back", func(ctx context.Context) (string, error) {
		scene, err := s.scene(ctx)
		if err != nil {
			return "", err
		}
		return scene.missing(s.cluster.Workers()), nil
	}); err != nil {
		return err
	}
	s.say("%s has ended them, and its node is ready", victim)
	return nil
}

// tells asks the cluster itself for the story of one instance that replaces another.
func (s *devShow) tells(ctx context.Context, was, is *devScene, victim string) error {
	var subject *devInstance
	most := int32(0)
	for n := range is.instances {
		i := &is.instances[n]
		known := slices.ContainsFunc(was.instances, func(o devInstance) bool { return o.uid == i.uid })
		if size := is.replicas(i); !known && !i.over() && size > most {
			subject, most = i, size
		}
	}
	if subject == nil {
		return candor.Errorf(candor.ReasonInternal, "nothing replaced what ran on %s", victim)
	}
	s.say("why is %s on %s?", subject.ref.Name, subject.status.Node)
	fmt.Fprintf(s.Out, "$ candor why instance/%s -n %s\n", subject.ref.Name, subject.ref.Namespace)
	return s.command(ctx, subject.ref.Namespace, func(f *Factory) *cobra.Command { return NewCmdWhy(f, nil) }, "instance/"+subject.ref.Name)
}

// replicas are those of the instance's workload.
func (c *devScene) replicas(i *devInstance) int32 {
	for _, w := range c.workloads {
		if w.ref.Name == i.workload && w.ref.Namespace == i.ref.Namespace {
			return w.replicas
		}
	}
	return 0
}

// busiest is the worker that runs most; empty where no other could take that over.
func (s *devShow) busiest(c *devScene) (name string) {
	workers := s.cluster.Workers()
	if len(workers) < 2 {
		return ""
	}
	for _, w := range workers {
		if c.on(w) > 0 && c.on(w) > c.on(name) {
			name = w
		}
	}
	return name
}

func (c *devScene) on(node string) (n int) {
	for i := range c.instances {
		if i := &c.instances[i]; i.status.Node == node && !i.over() {
			n++
		}
	}
	return n
}

// count reads every object, strongly, but for those that controllers make and remove.
func (s *devShow) count(ctx context.Context) (n int, err error) {
	for kind, err := range s.client.All(ctx, candor.KindKinds, client.ListOptions{}) {
		if err != nil {
			return 0, err
		}
		name := candor.KindName(kind.Metadata.Name)
		if name == candor.KindInstances || name == candor.KindFindings {
			continue
		}
		for _, err := range s.client.All(ctx, name, client.ListOptions{}) {
			if err != nil {
				return 0, err
			}
			n++
		}
	}
	return n, nil
}
