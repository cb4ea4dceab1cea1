package client

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// LogExtent is what a node's disk holds of the root. Entries after Applied may never be
// committed.
type LogExtent struct {
	ClusterID  string            `json:"clusterID"`
	NodeID     string            `json:"nodeID"`
	NodeName   string            `json:"nodeName"`
	BootID     string            `json:"bootID"`
	FirstIndex uint64            `json:"firstIndex"`
	LastIndex  uint64            `json:"lastIndex"`
	Applied    candor.Token      `json:"applied"`
	Snapshots  []LogSnapshotInfo `json:"snapshots,omitempty"`
	Witness    *candor.Witness   `json:"witness,omitempty"`
}

// LogSnapshotInfo is one snapshot on a node's disk.
type LogSnapshotInfo struct {
	ID    string `json:"id"`
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	Bytes uint64 `json:"bytes"`
}

// LogRecord is one entry as the node's log has it: Type is command, configuration, or
// another word for an entry that changes no state.
type LogRecord struct {
	Index, Term uint64
	Type        string
	Data        []byte
	Members     []LogMember
}

// LogMember is a member that a configuration makes.
type LogMember struct {
	ServerID, Address string
	Voter             bool
}

// LogExtent asks how much of the root the node's disk holds.
func (d *Diagnostics) LogExtent(ctx context.Context) (LogExtent, error) {
	return d.log(ctx, &candorv1.LogRequest{}, func(*candorv1.LogResponse) error { return nil })
}

// Log gives each the entries that the node has applied, from an index on (0 for the first
// that is kept) up to another (0 for the newest), in order. An error of each is returned as
// it is. Without a deadline in ctx, the beginning alone has the client's timeout. Nothing
// is resumed.
func (d *Diagnostics) Log(ctx context.Context, from, to uint64, each func(LogRecord) error) (LogExtent, error) {
	in := &candorv1.LogRequest{What: &candorv1.LogRequest_Entries{Entries: &candorv1.LogRange{From: from, To: to}}}
	return d.log(ctx, in, func(m *candorv1.LogResponse) error {
		for _, p := range m.GetRecords() {
			r := LogRecord{Index: p.GetIndex(), Term: p.GetTerm(), Type: p.GetType(), Data: p.GetData()}
			for _, member := range p.GetMembers() {
				r.Members = append(r.Members, LogMember{ServerID: member.GetServerId(), Address: member.GetAddress(), Voter: member.GetVoter()})
			}
			if err := each(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// LogSnapshot writes a snapshot that LogExtent names, as it is on the node's disk. On an
// error what was written is worthless.
func (d *Diagnostics) LogSnapshot(ctx context.Context, id string, to io.Writer) (LogExtent, error) {
	in := &candorv1.LogRequest{What: &candorv1.LogRequest_Snapshot{Snapshot: id}}
	return d.log(ctx, in, func(m *candorv1.LogResponse) error {
		_, err := to.Write(m.GetChunk())
		return err
	})
}

func (d *Diagnostics) log(ctx context.Context, in *candorv1.LogRequest, each func(*candorv1.LogResponse) error) (LogExtent, error) {
	var r request
	if err := d.pin(&r); err != nil {
		return LogExtent{}, candor.Wrap("log of "+d.addr, err)
	}
	whole, cancel := context.WithCancel(d.client.outgoing(ctx))
	defer cancel()
	start, began := d.client.bounded(ctx)
	defer began()
	n := &Node{client: d.client, addr: d.addr}
	recv, extent, err := d.openLog(whole, start, cancel, &r, in)
	if err != nil {
		return extent, candor.Wrap("log of "+d.addr, n.tailEnded(start, r.pinned, err))
	}
	for {
		m, err := recv.Recv()
		if errors.Is(err, io.EOF) {
			return extent, nil
		}
		if err != nil {
			return extent, candor.Wrap("log of "+d.addr, n.tailEnded(ctx, r.pinned, err))
		}
		if err := each(m); err != nil {
			return extent, err
		}
	}
}

// openLog waits within start for the node to say what it holds.
func (d *Diagnostics) openLog(whole, start context.Context, cancel func(), r *request, in *candorv1.LogRequest) (
	grpc.ServerStreamingClient[candorv1.LogResponse], LogExtent, error,
) {
	stop := context.AfterFunc(start, cancel)
	defer stop()
	recv, err := candorv1.NewDiagnosticsServiceClient(r.pinned.conn()).Log(whole, in)
	if err != nil {
		return nil, LogExtent{}, err
	}
	first, err := recv.Recv()
	if err == nil {
		err = start.Err()
	}
	if err != nil {
		return nil, LogExtent{}, err
	}
	x := first.GetExtent()
	extent := LogExtent{
		ClusterID: x.GetClusterId(), NodeID: x.GetNodeId(), NodeName: x.GetNodeName(), BootID: x.GetBootId(),
		FirstIndex: x.GetFirstIndex(), LastIndex: x.GetLastIndex(), Applied: convert.TokenFromProto(x.GetApplied()),
		Witness: convert.WitnessFromProto(x.GetWitness()),
	}
	for _, s := range x.GetSnapshots() {
		extent.Snapshots = append(extent.Snapshots, LogSnapshotInfo{ID: s.GetId(), Index: s.GetIndex(), Term: s.GetTerm(), Bytes: s.GetBytes()})
	}
	return recv, extent, nil
}
