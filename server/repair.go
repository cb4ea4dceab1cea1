package server

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/replica/datadir"
	"github.com/candor-plane/candor/server/trust"
)

// repairBudget bounds one repair: the snapshot of a large state takes its time.
const repairBudget = 10 * time.Minute

// repairer rebuilds this server's view from another voter's snapshot.
type repairer struct{ s *Server }

// Rebuild tries one voter, another with each attempt. What it streams is taken
// only if a majority of the voters has the same digest at the same index.
func (r *repairer) Rebuild(ctx context.Context, attempt int) (source string, index uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, repairBudget)
	defer cancel()
	voters := r.s.replica.Configuration().Voters()
	var others []raft.Server
	for _, v := range voters {
		if string(v.ID) != r.s.serverID {
			others = append(others, v)
		}
	}
	if len(others) == 0 {
		return "", 0, candor.Errorf(candor.ReasonUnavailable, "there is no other voter to take a snapshot from")
	}
	from := string(others[attempt%len(others)].ID)
	index, err = r.rebuildFrom(ctx, from, others, len(voters)/2+1)
	return from, index, err
}

func (r *repairer) rebuildFrom(ctx context.Context, from string, others []raft.Server, need int) (uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, first, err := r.open(ctx, from)
	if err != nil {
		return 0, candor.Wrap("snapshot of server "+from, err)
	}
	index := convert.TokenFromProto(first.GetToken()).Index
	// At once, while the others still remember it.
	digest, err := r.majority(ctx, others, index, need)
	if err != nil {
		return 0, err
	}
	rebuilt, err := r.s.machine.Rebuild(&chunkReader{stream: stream, rest: first.GetChunk()})
	if err != nil {
		return 0, candor.Wrap("snapshot of server "+from, err)
	}
	if own, ok := rebuilt.DigestAt(index); !ok || own.Digest != digest {
		return 0, candor.Errorf(candor.ReasonDataCorrupt, "the snapshot of server %s at index %d is not the state that a majority has", from, index)
	}
	return index, r.s.replica.Adopt(ctx, rebuilt)
}

func (r *repairer) open(ctx context.Context, from string) (candorv1.ClusterService_SnapshotClient, *candorv1.SnapshotResponse, error) {
	_, address := r.s.whereIs(from)
	if address == "" {
		return nil, nil, candor.Errorf(candor.ReasonUnavailable, "its API address is not known")
	}
	c, err := r.s.directory.connection(address)
	if err != nil {
		return nil, nil, err
	}
	stream, err := candorv1.NewClusterServiceClient(c).Snapshot(ctx, &candorv1.SnapshotRequest{})
	if err != nil {
		return nil, nil, convert.ErrorFromStatus(err)
	}
	first, err := stream.Recv()
	if err != nil {
		return nil, nil, convert.ErrorFromStatus(err)
	}
	if w := first.GetWitness(); w.GetNodeId() != from || w.GetClusterId() != r.s.clusterID || w.GetHistoryId() != r.s.historyID {
		return nil, nil, candor.Errorf(candor.ReasonClusterMismatch, "at %s answers server %s of cluster %s, history %s", address, w.GetNodeId(), w.GetClusterId(), w.GetHistoryId())
	}
	return stream, first, nil
}

// digestPause is how long voters may take to apply what one of them has.
const digestPause = 20 * time.Millisecond

// majority is the digest that enough voters have at an index. This server's own
// does not count: it is the one in doubt.
func (r *repairer) majority(ctx context.Context, voters []raft.Server, index uint64, need int) (fsm.Digest, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*r.s.config.Settings.ConfirmTimeout)
	defer cancel()
	heard := map[raft.ServerID]fsm.Digest{}
	peers := r.s.peers()
	for {
		votes := map[fsm.Digest]int{}
		for _, v := range voters {
			if _, known := heard[v.ID]; !known {
				// One that does not answer must not use up the others' time.
				asking, enough := context.WithTimeout(ctx, r.s.config.Settings.ConfirmTimeout/2)
				if a, err := peers.Confirm(asking, v, replica.ConfirmQuestion{Audit: index}); err == nil && a.Audited.Index == index {
					heard[v.ID] = a.Audited.Digest
				}
				enough()
			}
			if d, known := heard[v.ID]; known {
				if votes[d]++; votes[d] >= need {
					return d, nil
				}
			}
		}
		timer := time.NewTimer(digestPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fsm.Digest{}, candor.Errorf(candor.ReasonUnavailable, "%d of the %d voters needed told their digest at index %d, and no majority agrees", len(heard), need, index)
		}
	}
}

// chunkReader is a snapshot stream as a reader.
type chunkReader struct {
	stream candorv1.ClusterService_SnapshotClient
	rest   []byte
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		next, err := c.stream.Recv()
		if errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, convert.ErrorFromStatus(err)
		}
		c.rest = next.GetChunk()
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// trustStore keeps what a node must not forget of its trust; a server without a
// directory forgets.
type trustStore struct{ dir *datadir.Dir }

func (t *trustStore) Load() (trust.State, error) {
	if t.dir == nil {
		return trust.State{}, nil
	}
	kept, err := t.dir.Trust()
	if err != nil || kept.Quarantine == nil {
		return trust.State{Operator: kept.Operator}, err
	}
	q := &trust.Quarantine{Index: kept.Quarantine.Index, Since: kept.Quarantine.Since}
	// A digest that does not read is told as zero; the quarantine stands.
	_, _ = hex.Decode(q.Digest[:], []byte(kept.Quarantine.Digest))
	_, _ = hex.Decode(q.Majority[:], []byte(kept.Quarantine.Majority))
	return trust.State{Operator: kept.Operator, Quarantine: q}, nil
}

func (t *trustStore) Save(s trust.State) error {
	if t.dir == nil {
		return nil
	}
	kept := datadir.Trust{Operator: s.Operator}
	if q := s.Quarantine; q != nil {
		kept.Quarantine = &datadir.Quarantine{
			Index: q.Index, Digest: hex.EncodeToString(q.Digest[:]), Majority: hex.EncodeToString(q.Majority[:]), Since: q.Since,
		}
	}
	return t.dir.SetTrust(kept)
}
