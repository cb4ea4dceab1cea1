package client

import (
	"context"
	"errors"
	"io"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// SnapshotInfo says what a snapshot is of.
type SnapshotInfo struct {
	Token candor.Token
	Bytes uint64
	// Witness is the serving node's.
	Witness *candor.Witness
}

// Snapshot streams a snapshot of the leader's published view to to, or with
// OnEndpoint of that node's; no other option applies. progress, which may be
// nil, is told how many bytes were written and the node's estimate of how many
// there will be. A writer that can sync, such as a file, is synced as it goes
// and at the end: a large backlog would hold up a server that shares the disk.
//
// Nothing is written before a node has begun to answer, and after that nothing
// is tried again: on an error what was written is worthless. A snapshot takes
// as long as it takes, so there is no deadline but ctx's own; a node that begins
// to answer must be found within the client's timeout. The stream is complete if
// there is no error; its digest is checked by whoever reads it.
func (k *Cluster) Snapshot(ctx context.Context, to io.Writer, progress func(written, estimated uint64), options ...ReadOption) (SnapshotInfo, error) {
	info, err := k.snapshot(ctx, to, progress, options)
	return info, candor.Wrap("snapshot", err)
}

func (k *Cluster) snapshot(ctx context.Context, to io.Writer, progress func(written, estimated uint64), options []ReadOption) (SnapshotInfo, error) {
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	r := &request{method: candorv1.ClusterService_Snapshot_FullMethodName, route: toLeader}
	ctx = k.client.begin(ctx, r)
	// A cancel of our own, so that no stream outlives an error of the writer.
	ctx, cancel := context.WithCancel(k.client.outgoing(ctx))
	defer cancel()
	start, found := k.client.bounded(ctx)
	defer found()
	stop := context.AfterFunc(start, cancel)
	recv, first, err := k.openSnapshot(start, ctx, r, options)
	stop()
	r.ended(err)
	if err != nil {
		return SnapshotInfo{}, err
	}
	info := SnapshotInfo{Token: convert.TokenFromProto(first.GetToken()), Witness: convert.WitnessFromProto(first.GetWitness())}
	if info.Witness != nil {
		if err := k.client.accept(r, k.client.session, info.Witness); err != nil {
			return info, err
		}
	}
	estimated := first.GetEstimatedBytes()
	steady := &steadyWriter{to: to}
	for message := first; ; {
		n, err := steady.Write(message.GetChunk())
		info.Bytes += uint64(n)
		if err != nil {
			return info, candor.Errorf(candor.ReasonInternal, "write the snapshot: %w", err)
		}
		estimated = max(estimated, message.GetEstimatedBytes())
		progress(info.Bytes, estimated)
		message, err = recv.Recv()
		if errors.Is(err, io.EOF) {
			return info, steady.sync()
		}
		if err != nil {
			return info, cutShort(ctx, r.endpoint, info.Bytes, err)
		}
	}
}

// syncEvery bounds in bytes how much of a snapshot waits to be synced.
const syncEvery = 8 << 20

// steadyWriter syncs as it goes, where it can.
type steadyWriter struct {
	to       io.Writer
	unsynced int
}

func (w *steadyWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	if w.unsynced += n; err == nil && w.unsynced >= syncEvery {
		err = w.sync()
	}
	return n, err
}

func (w *steadyWriter) sync() error {
	w.unsynced = 0
	if f, ok := w.to.(interface{ Sync() error }); ok {
		if err := f.Sync(); err != nil {
			return candor.Errorf(candor.ReasonInternal, "sync the snapshot: %w", err)
		}
	}
	return nil
}

// openSnapshot goes from node to node until one begins to answer or start ends.
func (k *Cluster) openSnapshot(start, ctx context.Context, r *request, options []ReadOption) (
	grpc.ServerStreamingClient[candorv1.SnapshotResponse], *candorv1.SnapshotResponse, error,
) {
	var terms readTerms
	for _, option := range options {
		option(&terms)
	}
	if err := k.client.pin(r, terms.endpoint); err != nil {
		return nil, nil, err
	}
	p := pursuit{client: k.client, request: r}
	ep, err := p.start()
	if err != nil {
		return nil, nil, err
	}
	for {
		if err := p.over(start); err != nil {
			return nil, nil, err
		}
		r.endpoint, r.before = ep, ep.served.Load()
		r.tries(ep)
		recv, failure := candorv1.NewClusterServiceClient(ep.conn()).Snapshot(ctx, &candorv1.SnapshotRequest{})
		if failure == nil {
			var first *candorv1.SnapshotResponse
			if first, failure = recv.Recv(); failure == nil {
				return recv, first, nil
			}
		}
		if errors.Is(failure, io.EOF) {
			failure = status.Error(codes.Unavailable, "the server ended the stream before it began")
		}
		if ep, err = p.failed(start, ep, failure); err != nil {
			return nil, nil, err
		}
	}
}

func cutShort(ctx context.Context, ep *endpoint, written uint64, failure error) error {
	if e, refused := convert.Refusal(failure); refused {
		return e
	}
	if err := ctx.Err(); err != nil {
		failure = err
	}
	e := transportError(ep, failure)
	e.Message = "the stream ended after " + strconv.FormatUint(written, 10) + " bytes" + ": " + e.Message
	return e
}
