package drill

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/replay"
)

// journal is the root's log as one server keeps it, to be run again.
type journal struct {
	node   *client.Diagnostics
	origin replay.Origin
}

func journalOf(ctx context.Context, name string, node *client.Diagnostics) (*journal, error) {
	extent, err := node.LogExtent(ctx)
	if err != nil {
		return nil, err
	}
	j := &journal{node: node, origin: replay.Origin{
		Name: name, ClusterID: extent.ClusterID, NodeID: extent.NodeID,
		First: extent.FirstIndex, Last: extent.LastIndex, Committed: extent.Applied.Index,
	}}
	for _, s := range extent.Snapshots {
		j.origin.Snapshots = append(j.origin.Snapshots, replay.Snapshot{ID: s.ID, Index: s.Index, Term: s.Term, Bytes: int64(s.Bytes)})
	}
	return j, nil
}

// Origin implements [replay.Source].
func (j *journal) Origin() replay.Origin { return j.origin }

// errEnough ends a stream that nobody wants more of.
var errEnough = errors.New("enough")

// Entries implements [replay.Source].
func (j *journal) Entries(ctx context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return func(yield func(replay.Entry, error) bool) {
		_, err := j.node.Log(ctx, from, to, func(r client.LogRecord) error {
			e := replay.Entry{Index: r.Index, Term: r.Term, Type: r.Type, Data: r.Data}
			for _, m := range r.Members {
				e.Members = append(e.Members, replay.Member(m))
			}
			if !yield(e, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(replay.Entry{}, err)
		}
	}
}

// Snapshot implements [replay.Source]; those of a drill fit into memory.
func (j *journal) Snapshot(ctx context.Context, id string) (io.ReadCloser, error) {
	var contents bytes.Buffer
	if _, err := j.node.LogSnapshot(ctx, id, &contents); err != nil {
		return nil, err
	}
	return io.NopCloser(&contents), nil
}
