package server

import (
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/link"
)

// Recovery is what to plan.
type Recovery struct {
	// Data are the directories of survivors that are at hand.
	Data []string
	// Raft is the address at which the server that goes on will be reached; empty for
	// the one that it had.
	Raft   string
	Logger hclog.Logger
}

// PlanRecovery reads the directories of servers that survived, changes nothing in
// them, and says which of them holds the most and what its going on alone would mean.
//
// Errors: DATA_LOCKED where a server runs on one; NOT_FOUND and NOT_A_MEMBER where one
// was no member of a cluster; CLUSTER_MISMATCH and HISTORY_MISMATCH where they are not
// of one; DATA_CORRUPT where one is damaged; CONFLICT where a majority is at hand, so
// that nothing need be lost.
func PlanRecovery(r Recovery) (_ *RecoveryPlan, err error) {
	if len(r.Data) == 0 || r.Logger == nil {
		return nil, candor.Errorf(candor.ReasonInternal, "a recovery needs directories and a logger")
	}
	var all []*survivor
	defer func() {
		for _, s := range all {
			err = errors.Join(err, s.dir.Close())
		}
	}()
	for _, data := range r.Data {
		s, err := openSurvivor(data, r.Logger)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		if err := s.belongsWith(all[0]); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b *survivor) int {
		switch {
		case a.furtherThan(b):
			return -1
		case b.furtherThan(a):
			return 1
		default:
			return 0
		}
	})
	return plan(r, all)
}

func (s *survivor) belongsWith(other *survivor) error {
	switch {
	case s.identity.ClusterID == "" || len(s.configuration.Servers) == 0:
		return candor.Errorf(candor.ReasonNotAMember, "data directory %s: its server, %s, was never part of a cluster", s.Data, s.Name)
	case s.identity.ClusterID != other.identity.ClusterID:
		return candor.Errorf(candor.ReasonClusterMismatch, "data directory %s is of cluster %s, and %s of cluster %s", s.Data, s.identity.ClusterID, other.Data, other.identity.ClusterID)
	case s.identity.HistoryID != other.identity.HistoryID:
		return candor.Errorf(candor.ReasonHistoryMismatch, "data directory %s is of history %s, and %s of history %s: one is from before a recovery; leave it out", s.Data, s.identity.HistoryID, other.Data, other.identity.HistoryID)
	case s != other && s.ServerID == other.ServerID:
		return candor.Errorf(candor.ReasonDataForeign, "data directories %s and %s are both of server %s: one is a copy; leave the older one out", s.Data, other.Data, s.Name)
	default:
		return nil
	}
}

func plan(r Recovery, all []*survivor) (*RecoveryPlan, error) {
	chosen := all[0]
	at := slices.IndexFunc(chosen.configuration.Servers, func(x raft.Server) bool { return string(x.ID) == chosen.ServerID })
	if at < 0 {
		return nil, candor.Errorf(candor.ReasonNotAMember, "server %s of %s holds the most, and is no member of the configuration of index %d: it was removed; leave it out", chosen.Name, chosen.Data, chosen.ConfigurationIndex)
	}
	p := &RecoveryPlan{
		Format: recoveryFormat, ID: uuid.NewString(), Made: time.Now().UTC().Truncate(time.Second),
		ClusterID: chosen.identity.ClusterID, HistoryID: chosen.identity.HistoryID, NewHistoryID: uuid.NewString(),
		Raft: r.Raft,
	}
	if p.Raft == "" {
		p.Raft = link.HostPort(chosen.configuration.Servers[at].Address)
	}
	for _, s := range all {
		if s != chosen {
			s.Discarded = s.beyond(chosen)
		}
		p.Survivors = append(p.Survivors, s.Survivor)
	}
	if chosen.Committed < chosen.LastIndex {
		p.Adopted = &IndexRange{From: chosen.Committed + 1, To: chosen.LastIndex}
	}
	if err := p.count(chosen, all); err != nil {
		return nil, err
	}
	if err := p.describe(chosen); err != nil {
		return nil, err
	}
	sum, err := p.sum()
	p.SHA256 = sum
	return p, err
}

// count says who is here and who is not, and refuses where enough are.
func (p *RecoveryPlan) count(chosen *survivor, all []*survivor) error {
	for _, x := range chosen.configuration.Servers {
		m := RecoveryMember{ServerID: string(x.ID), Raft: link.HostPort(x.Address), Voter: x.Suffrage == raft.Voter}
		m.Here = slices.ContainsFunc(all, func(s *survivor) bool { return s.ServerID == m.ServerID })
		if m.Voter {
			p.Voters++
			if m.Here {
				p.Here++
			}
		}
		p.Members = append(p.Members, m)
	}
	p.Quorum = p.Voters/2 + 1
	p.Complete = p.Voters-p.Here < p.Quorum && !chosen.Quarantined
	if p.Here >= p.Quorum {
		return candor.Errorf(candor.ReasonConflict, "%d of %d voters are here, and %d are a majority: start them, and nothing is lost", p.Here, p.Voters, p.Quorum)
	}
	return nil
}

// describe rebuilds the state, so that what cannot be rebuilt is known before anything
// is done.
func (p *RecoveryPlan) describe(chosen *survivor) error {
	m, err := chosen.rebuild()
	if err != nil {
		return err
	}
	view, found := m.View(), m.Inspect()
	p.Revision, p.Objects, p.Contents = view.Token().Revision, found.Objects, hex.EncodeToString(found.Contents[:])
	for _, known := range view.Members() {
		for i := range p.Members {
			if p.Members[i].ServerID == known.ServerID {
				p.Members[i].Name = known.Name
			}
		}
		if known.ServerID == chosen.ServerID {
			p.API = known.APIAddress
		}
	}
	return nil
}
