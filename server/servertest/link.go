package servertest

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/hashicorp/raft"
)

// linkTimeout is how long a server waits for an answer that was lost.
const linkTimeout = 200 * time.Millisecond

var errLost = errors.New("servertest: lost on the way")

// link carries one server's raft messages over the cluster's links.
type link struct {
	*raft.InmemTransport
	network *network
	name    string
}

// connect wires a server to all others, both ways.
func (n *network) connect(name string) *link {
	_, transport := raft.NewInmemTransportWithTimeout(raft.ServerAddress(name+raftSuffix), linkTimeout)
	l := &link{InmemTransport: transport, network: n, name: name}
	n.mu.Lock()
	defer n.mu.Unlock()
	transport.Connect(raft.ServerAddress(name+raftSuffix), transport)
	for other, there := range n.links {
		transport.Connect(raft.ServerAddress(other+raftSuffix), there.InmemTransport)
		there.Connect(raft.ServerAddress(name+raftSuffix), transport)
	}
	n.links[name] = l
	return l
}

// carry sends a question and brings its answer back, each over its own link.
func (l *link) carry(to raft.ServerAddress, call func() error) error {
	l.network.underway.Add(1)
	defer l.network.underway.Done()
	if arrives, _ := l.network.passes(l.name, serverAt(string(to))); !arrives {
		l.network.meets(l.name, serverAt(string(to)))
		time.Sleep(linkTimeout)
		return errLost
	}
	l.network.travel(l.name, serverAt(string(to)))
	if err := call(); err != nil {
		return err
	}
	l.network.travel(serverAt(string(to)), l.name)
	if arrives, _ := l.network.passes(serverAt(string(to)), l.name); !arrives {
		l.network.meets(serverAt(string(to)), l.name)
		time.Sleep(linkTimeout)
		return errLost
	}
	return nil
}

// AppendEntriesPipeline is refused: each message is then one question and one
// answer, which a cut can part.
func (l *link) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

func (l *link) AppendEntries(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) > 0 && l.network.isStarved(serverAt(string(to))) {
		l.network.meets(l.name, serverAt(string(to)))
		time.Sleep(linkTimeout)
		return errLost
	}
	// Who gets a message has it alone.
	own := *args
	own.Entries = slices.Clone(args.Entries)
	return l.carry(to, func() error { return l.InmemTransport.AppendEntries(id, to, &own, resp) })
}

func (l *link) RequestVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return l.carry(to, func() error { return l.InmemTransport.RequestVote(id, to, args, resp) })
}

func (l *link) RequestPreVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return l.carry(to, func() error { return l.InmemTransport.RequestPreVote(id, to, args, resp) })
}

func (l *link) InstallSnapshot(id raft.ServerID, to raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	if l.network.isStarved(serverAt(string(to))) {
		l.network.meets(l.name, serverAt(string(to)))
		time.Sleep(linkTimeout)
		return errLost
	}
	data = &slowData{data: data, link: l, to: serverAt(string(to))}
	return l.carry(to, func() error { return l.InmemTransport.InstallSnapshot(id, to, args, resp, data) })
}

func (l *link) TimeoutNow(id raft.ServerID, to raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return l.carry(to, func() error { return l.InmemTransport.TimeoutNow(id, to, args, resp) })
}

// slowData is a snapshot on its way: each piece takes as long as a message does.
type slowData struct {
	data io.Reader
	link *link
	to   string
}

func (d *slowData) Read(p []byte) (int, error) {
	d.link.network.travel(d.link.name, d.to)
	return d.data.Read(p)
}
