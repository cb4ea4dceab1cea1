package server

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	members "github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/failpoint"
)

// membershipKinds are the transitions that the duty topology carries out.
var membershipKinds = []transition.Kind{
	transition.MemberAdd, transition.MemberPromote, transition.MemberRemove, transition.MemberReplace, transition.LeaderTransfer,
}

// mostPending bounds how many transitions of a kind are looked at.
const mostPending = 256

// membershipRoot is what the executor of membership changes sees of the root.
type membershipRoot struct{ s *Server }

func (r *membershipRoot) Pending() (members.Seen, <-chan struct{}) {
	view, changed := r.s.feed.Membership()
	here := &candidate{r.s}
	leader, _ := here.Leadership()
	seen := members.Seen{Token: view.Token(), Leader: leader, Now: here.Now().ClusterTime}
	for _, kind := range membershipKinds {
		seen.Pending = append(seen.Pending, view.PendingTransitions(kind, mostPending)...)
	}
	slices.SortFunc(seen.Pending, func(a, b transition.Transition) int {
		if a.Plan.Revision < b.Plan.Revision {
			return -1
		}
		return 1
	})
	return seen, changed
}

func (r *membershipRoot) Plan(ctx context.Context, era uint64, p *transition.Plan) (transition.Verdict, error) {
	planned := *p
	planned.Duty, planned.Era = tenure.DutyTopology, era
	result, err := r.s.settled(ctx, command.Plan(&planned, r.s.holder()))
	if err != nil || result.Verdict == nil {
		return transition.Verdict{}, err
	}
	return *result.Verdict, nil
}

func (r *membershipRoot) End(ctx context.Context, era uint64, p *transition.Plan, phase transition.Phase, report *transition.Journal) error {
	_, err := r.s.settled(ctx, command.End(tenure.DutyTopology, era, r.s.holder(), p, phase, report))
	return err
}

// settled puts a command through the root, and waits until this node's view has it:
// what comes next looks at that. A refusal of the turn is an error.
func (s *Server) settled(ctx context.Context, c *command.Command) (fsm.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	result, err := s.proposer.Propose(ctx, c, 0)
	if err == nil {
		err = result.Err()
	}
	if err == nil {
		err = s.replica.WaitApplied(ctx, result.Token.Index)
	}
	return result, err
}

// raftMembers is what the executor sees of Raft.
type raftMembers struct{ s *Server }

func (m *raftMembers) Configuration(ctx context.Context) (members.Configuration, error) {
	survey, err := m.s.replica.Survey(ctx)
	if err != nil {
		return members.Configuration{}, err
	}
	c := members.Configuration{Index: survey.Configuration.Index, Leader: m.s.serverID, Proven: survey.Proven}
	for _, x := range survey.Servers {
		c.Servers = append(c.Servers, members.Server{
			ID: string(x.ID), Address: string(x.Address), Voter: x.Suffrage == raft.Voter, Answers: x.Answers, Applied: x.Applied, Differs: x.Differs,
		})
	}
	return c, nil
}

func (m *raftMembers) Add(ctx context.Context, server, address string, configuration uint64) error {
	_, err := m.s.replica.Join(ctx, raft.Server{Suffrage: raft.Nonvoter, ID: raft.ServerID(server), Address: raft.ServerAddress(address)}, configuration)
	return err
}

func (m *raftMembers) Promote(ctx context.Context, server string, configuration uint64) error {
	_, err := m.s.replica.Promote(ctx, server, configuration)
	return err
}

// Remove also has the root and gossip forget the server. The removal stands whether
// or not that comes through; a later join overwrites it.
func (m *raftMembers) Remove(ctx context.Context, server string, configuration uint64, force bool) error {
	if _, err := m.s.replica.Remove(ctx, server, configuration, force); err != nil {
		return err
	}
	failpoint.Hit("membership/removed", "member-remove")
	if m.s.gossip != nil {
		m.s.gossip.Forget(server)
	}
	if _, err := m.s.proposer.Propose(ctx, command.Hello(server, "", "", 0), 0); err != nil {
		m.s.logger.Warn("removed server is still listed", "server", server, "error", err)
	}
	return nil
}

func (m *raftMembers) Transfer(ctx context.Context, server string) error {
	return m.s.replica.TransferLeader(ctx, server)
}
