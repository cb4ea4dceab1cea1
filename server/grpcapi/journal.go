package grpcapi

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Journal is what this node's disk holds of the root: entries and snapshots. It may be
// read while raft writes.
type Journal interface {
	// Extent fills everything but the applied position and the witness.
	Extent() (*candorv1.LogExtent, error)
	// Record is the entry of an index; the error is UNAVAILABLE where it is not kept any
	// more.
	Record(index uint64) (*candorv1.LogRecord, error)
	// Snapshot opens the contents of one; the error is NOT_FOUND where there is none of
	// that ID.
	Snapshot(id string) (io.ReadCloser, error)
}

// Log sends the extent of the log, then what was asked for: entries that this node has
// applied, or a snapshot, no faster than snapshotRate.
func (s *Diagnostics) Log(in *candorv1.LogRequest, stream grpc.ServerStreamingServer[candorv1.LogResponse]) error {
	extent, err := s.journal.Extent()
	if err != nil {
		return err
	}
	applied := s.machine.View().Token()
	extent.Applied, extent.Witness = convert.TokenToProto(applied), s.witness()
	if err := stream.Send(&candorv1.LogResponse{Extent: extent}); err != nil {
		return err
	}
	j := &journalStream{stream: stream, stopping: s.stopping, began: time.Now()}
	switch what := in.GetWhat().(type) {
	case *candorv1.LogRequest_Snapshot:
		return j.snapshot(s.journal, what.Snapshot)
	case *candorv1.LogRequest_Entries:
		from, to := max(what.Entries.GetFrom(), extent.GetFirstIndex()), min(extent.GetLastIndex(), applied.Index)
		if what.Entries.GetTo() != 0 {
			to = min(to, what.Entries.GetTo())
		}
		return j.records(s.journal, from, to)
	default:
		return nil
	}
}

// journalStream sends messages at a bounded rate, until the server stops.
type journalStream struct {
	stream   grpc.ServerStreamingServer[candorv1.LogResponse]
	stopping <-chan struct{}
	began    time.Time
	sent     int
}

func (j *journalStream) records(journal Journal, from, to uint64) error {
	next, size := &candorv1.LogResponse{}, 0
	for index := from; index <= to && index != 0; index++ {
		record, err := journal.Record(index)
		if err != nil {
			return err
		}
		next.Records = append(next.Records, record)
		if size += len(record.GetData()) + recordOverhead; size < snapshotChunk {
			continue
		}
		if err := j.send(next, size); err != nil {
			return err
		}
		next, size = &candorv1.LogResponse{}, 0
	}
	if size == 0 {
		return nil
	}
	return j.send(next, size)
}

// recordOverhead is about what a record takes beside its data.
const recordOverhead = 32

func (j *journalStream) snapshot(journal Journal, id string) (err error) {
	file, err := journal.Snapshot(id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for {
		chunk := make([]byte, snapshotChunk)
		n, err := io.ReadFull(file, chunk)
		if n > 0 {
			if err := j.send(&candorv1.LogResponse{Chunk: chunk[:n]}, n); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (j *journalStream) send(m *candorv1.LogResponse, size int) error {
	if err := j.stream.Send(m); err != nil {
		return err
	}
	j.sent += size
	due := time.Duration(float64(j.sent) / snapshotRate * float64(time.Second))
	timer := time.NewTimer(max(0, due-time.Since(j.began)))
	defer timer.Stop()
	select {
	case <-j.stopping:
		return &candor.Error{Reason: candor.ReasonShuttingDown, Message: "the server stops; what was sent of its log is not all"}
	case <-j.stream.Context().Done():
		return context.Cause(j.stream.Context())
	case <-timer.C:
		return nil
	}
}
