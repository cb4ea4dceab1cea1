package cli

import (
	"context"
	"fmt"
	"time"

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
	for _, path := range s.Apply {
		if err := s.apply(ctx, path); err != nil {
			return err
		}
	}
	if err := s.converged(ctx); err != nil {
		return err
	}
	if s.Failover && len(s.cluster.Layout().Nodes) > 2 {
		return s.failover(ctx)
	}
	return nil
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

func (s *devShow) apply(ctx context.Context, path string) error {
	f := *s.Factory
	flags := *s.Flags
	flags.Servers, flags.TLS = s.cluster.Layout().APIAddresses(), s.cluster.Admin()
	f.Flags, f.remote, f.kinds = &flags, nil, nil
	defer f.Close()
	cmd := NewCmdApply(&f, nil)
	cmd.SetArgs([]string{"-f", path})
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

// failover kills the leader and counts what is there before and after.
func (s *devShow) failover(ctx context.Context) error {
	leader, err := s.leader(ctx)
	if err != nil {
		return err
	}
	before, err := s.count(ctx)
	if err != nil {
		return err
	}
	s.say("kill -9 %s, the leader, with %d objects acknowledged", leader.Name, before)
	if err := s.cluster.Act("kill", leader.Name); err != nil {
		return err
	}
	killed := s.Now()
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
	s.say("%s leads in term %d and took a write %s after the kill; %d objects, none lost", next.Name, next.Term, seconds(gap), after)
	if after != before {
		return candor.Errorf(candor.ReasonInvariantViolated, "%d objects were acknowledged before the leader was killed, %d are there after it", before, after)
	}
	if err := s.cluster.Act("start", leader.Name); err != nil {
		return err
	}
	s.say("%s starts again", leader.Name)
	return s.converged(ctx)
}

// count reads every object of every kind, strongly.
func (s *devShow) count(ctx context.Context) (n int, err error) {
	for kind, err := range s.client.All(ctx, candor.KindKinds, client.ListOptions{}) {
		if err != nil {
			return 0, err
		}
		for _, err := range s.client.All(ctx, candor.KindName(kind.Metadata.Name), client.ListOptions{}) {
			if err != nil {
				return 0, err
			}
			n++
		}
	}
	return n, nil
}
