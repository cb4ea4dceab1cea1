package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/dev"
)

// devShow brings a cluster up before a person's eyes: every line it prints was
// asked of the servers.
type devShow struct {
	*DevOptions
	cluster *dev.Cluster
	began   time.Time
	client  *client.Client
	names   map[string]string
}

func (s *devShow) run(ctx context.Context) (err error) {
	// A cluster that was here before may have access control on.
	token := ""
	if s.Flags.TokenFile != "" {
		if token, err = s.readToken(s.Flags.TokenFile); err != nil {
			return err
		}
	}
	own, err := openIdentity(s.cluster.Admin())
	if err != nil {
		return err
	}
	s.client, err = client.New(client.Config{Endpoints: s.cluster.Layout().APIAddresses(), Actor: s.Flags.Actor, Token: token, TLS: own, Timeout: 5 * time.Second})
	if err != nil {
		if own != nil {
			_ = own.Close() // it only reads
		}
		return err
	}
	defer func() {
		if closed := closeBoth(s.client, own); err == nil {
			err = closed
		}
	}()
	for _, n := range s.cluster.Layout().Nodes {
		s.say("%s starts: api %s, raft %s", n.Name, n.API, n.Raft)
	}
	if err := s.waitUntil(ctx, "the cluster has a leader and all its members", s.formed); err != nil {
		return err
	}
	leader, err := s.leader(ctx)
	if err != nil {
		return err
	}
	s.say("%s leads in term %d", leader.Name, leader.Term)
	if err := s.apply(ctx, s.Policies); err != nil {
		return err
	}
	stage := &devStage{show: s}
	if err := s.employ(ctx); err != nil {
		return err
	}
	if err := s.apply(ctx, s.Apply); err != nil {
		return err
	}
	scene, err := s.populated(ctx, stage)
	if err != nil {
		return err
	}
	if err := s.converged(ctx); err != nil {
		return err
	}
	if s.Failover && len(s.cluster.Layout().Nodes) > 2 {
		return s.failover(ctx, stage, scene)
	}
	return nil
}

// employ starts the workers and waits until their nodes are ready.
func (s *devShow) employ(ctx context.Context) error {
	workers := s.cluster.Workers()
	if len(workers) == 0 {
		return nil
	}
	before, err := s.scene(ctx)
	if err != nil {
		return err
	}
	if err := s.cluster.StartWorkers(); err != nil {
		return err
	}
	s.say("workers start: %s", strings.Join(workers, ", "))
	err = s.waitUntil(ctx, "every worker's node is ready", func(ctx context.Context) (string, error) {
		scene, err := s.scene(ctx)
		if err != nil {
			return "", err
		}
		for _, name := range workers {
			if scene.nodes[name].session == before.nodes[name].session {
				return name + " has not registered its node", nil
			}
		}
		return scene.unready(workers), nil
	})
	if err == nil {
		s.say("their nodes are ready")
	}
	return err
}

// populated waits until what is wanted runs.
func (s *devShow) populated(ctx context.Context, stage *devStage) (*devScene, error) {
	if len(s.cluster.Workers()) == 0 {
		return &devScene{}, nil
	}
	scene, err := s.settled(ctx, stage, "every workload is available")
	if err != nil || len(scene.workloads) == 0 {
		return scene, err
	}
	s.say("all that is wanted runs: %d instances of %d workloads", len(scene.instances), len(scene.workloads))
	stage.close(scene)
	return scene, nil
}

// say prints one line with the time since the start.
func (s *devShow) say(format string, args ...any) {
	fmt.Fprintf(s.Out, "%7.2fs  %s\n", s.Now().Sub(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// formed waits for a leader that has heard from every member.
func (s *devShow) formed(ctx context.Context) (missing string, err error) {
	members, err := s.client.Cluster().Members(ctx)
	if err != nil {
		return "", err
	}
	s.names = map[string]string{}
	for _, m := range members.Members {
		if m.Name == "" || m.APIAddress == "" {
			return "a member has not announced itself", nil
		}
		s.names[m.ServerID] = m.Name
	}
	if len(members.Members) < len(s.cluster.Layout().Nodes) {
		return fmt.Sprintf("%d of %d members", len(members.Members), len(s.cluster.Layout().Nodes)), nil
	}
	if _, _, err := s.client.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: "default"}); err != nil {
		return "", err
	}
	return "", nil
}

// leader is who served a confirmed read.
func (s *devShow) leader(ctx context.Context) (*candor.LeaderHint, error) {
	_, w, err := s.client.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: "default"})
	if err != nil {
		return nil, err
	}
	return &candor.LeaderHint{ServerID: w.NodeID, Name: w.NodeName, Term: w.ServedToken.Term}, nil
}

func (s *devShow) apply(ctx context.Context, paths []string) error {
	for _, path := range paths {
		if err := s.command(ctx, "", func(f *Factory) *cobra.Command { return NewCmdApply(f, nil) }, "-f", path); err != nil {
			return err
		}
	}
	return nil
}

// command runs one of this program's, with what it would print to a second terminal.
func (s *devShow) command(ctx context.Context, namespace string, command func(*Factory) *cobra.Command, args ...string) error {
	f := *s.Factory
	flags := *s.Flags
	flags.Servers, flags.TLS, flags.Namespace = s.cluster.Layout().APIAddresses(), s.cluster.Admin(), namespace
	f.Flags, f.remote, f.kinds = &flags, nil, nil
	defer f.Close()
	cmd := command(&f)
	cmd.SetArgs(args)
	cmd.SetOut(s.Out)
	cmd.SetErr(s.Err)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	return cmd.ExecuteContext(ctx)
}

// converged waits until every server has applied the same entries to the same
// state, and says which.
func (s *devShow) converged(ctx context.Context) error {
	var at candor.Token
	var digest string
	err := s.waitUntil(ctx, "all servers hold the same state", func(ctx context.Context) (missing string, err error) {
		at, digest = candor.Token{}, ""
		for _, n := range s.cluster.Layout().Nodes {
			report, err := s.client.Diagnostics(n.API).Node(ctx)
			if err != nil {
				return "", candor.Wrap(n.Name, err)
			}
			if digest != "" && (report.Applied != at || report.State.Digest != digest) {
				return fmt.Sprintf("%s is at %s, another at %s", n.Name, report.Applied, at), nil
			}
			at, digest = report.Applied, report.State.Digest
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	s.say("all %d servers hold the same state: %s, digest %.12s", len(s.cluster.Layout().Nodes), at, digest)
	return nil
}
