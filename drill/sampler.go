package drill

import (
	"context"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/evidence"
)

// sampler records what one server says of the states that it had. It belongs to one
// goroutine; the zero value but for the recorder is ready.
type sampler struct {
	recorder *evidence.Recorder
	// boot is that of the server when it was asked last, and next the first index of which
	// it has not told the digest yet.
	boot string
	next uint64
}

// take asks for what the server has not told yet. Where it fails, nothing is lost: the
// next one asks for the same.
func (s *sampler) take(ctx context.Context, d *client.Diagnostics) error {
	ctx, cancel := context.WithTimeout(ctx, 4*glance)
	defer cancel()
	node, err := d.Node(ctx)
	if err != nil {
		return err
	}
	if node.BootID != s.boot || node.Applied.Index+1 < s.next {
		// It began anew, or its state was made again from an earlier one.
		s.boot, s.next = node.BootID, 0
	}
	told, err := d.Digests(ctx, s.next)
	if err != nil {
		return err
	}
	for _, at := range told {
		s.recorder.Digest(node.NodeName, node.BootID, at.Index, at.Digest)
		s.next = max(s.next, at.Index+1)
	}
	records, err := d.Records(ctx)
	if err != nil {
		return err
	}
	s.recorder.Violations(node, records)
	if node.State != nil && node.State.Floor > 0 {
		// Both are of one view.
		s.recorder.Compacted(node.State.Floor, node.Applied)
	}
	return nil
}
