package drill

import (
	"bytes"
	"context"
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
	return &journal{node: node, origin: replay.OriginOf(name, extent)}, nil
}

// Origin implements [replay.Source].
func (j *journal) Origin() replay.Origin { return j.origin }

// Entries implements [replay.Source].
func (j *journal) Entries(ctx context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return replay.EntriesOf(ctx, j.node, from, to)
}

// Snapshot implements [replay.Source]; those of a drill fit into memory.
func (j *journal) Snapshot(ctx context.Context, id string) (io.ReadCloser, error) {
	var contents bytes.Buffer
	if _, err := j.node.LogSnapshot(ctx, id, &contents); err != nil {
		return nil, err
	}
	return io.NopCloser(&contents), nil
}
