package replay

import (
	"context"
	"errors"
	"iter"

	"github.com/candor-plane/candor/client"
)

// Journal reads the log that a running node keeps.
type Journal interface {
	Log(ctx context.Context, from, to uint64, each func(client.LogRecord) error) (client.LogExtent, error)
}

// OriginOf is what a node says that it holds, without the digests that it published.
func OriginOf(name string, extent client.LogExtent) Origin {
	o := Origin{
		Name: name, ClusterID: extent.ClusterID, NodeID: extent.NodeID,
		First: extent.FirstIndex, Last: extent.LastIndex, Committed: extent.Applied.Index,
	}
	for _, s := range extent.Snapshots {
		o.Snapshots = append(o.Snapshots, Snapshot{ID: s.ID, Index: s.Index, Term: s.Term, Bytes: int64(s.Bytes)})
	}
	return o
}

// errEnough ends a stream that nobody wants more of.
var errEnough = errors.New("enough")

// EntriesOf streams a node's log.
func EntriesOf(ctx context.Context, node Journal, from, to uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		_, err := node.Log(ctx, from, to, func(r client.LogRecord) error {
			e := Entry{Index: r.Index, Term: r.Term, Type: r.Type, Data: r.Data}
			for _, m := range r.Members {
				e.Members = append(e.Members, Member(m))
			}
			if !yield(e, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(Entry{}, err)
		}
	}
}
