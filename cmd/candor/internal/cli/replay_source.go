package cli

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/verify/bundle"
	"github.com/candor-plane/candor/verify/replay"
)

// JournalReader is what commands read the log of one node with.
type JournalReader interface {
	LogExtent(ctx context.Context) (client.LogExtent, error)
	Log(ctx context.Context, from, to uint64, each func(client.LogRecord) error) (client.LogExtent, error)
	LogSnapshot(ctx context.Context, id string, to io.Writer) (client.LogExtent, error)
}

// sourceHelp says what SOURCE is, for the help of commands that take one.
const sourceHelp = `SOURCE is one of
  DIR              the data directory of a stopped server
  FILE, FILE@NODE  a debug bundle, and which of its nodes
  n2, HOST:PORT    a running server: a member's name or ID, or where it listens
and without one the first server of --server or the context.`

// logSource is an open one. Close it.
type logSource struct {
	replay.Source
	close func() error
	// live names what Snapshot gives the node's state of now for; "" for no node.
	live string
}

// openSource finds out what text means and opens it.
func (f *Factory) openSource(ctx context.Context, text string) (*logSource, error) {
	if text != "" {
		if st, err := os.Stat(text); err == nil && st.IsDir() {
			return f.openDirectory(text)
		}
		path, node := text, ""
		if _, err := os.Stat(text); err != nil {
			if at := strings.LastIndexByte(text, '@'); at > 0 {
				path, node = text[:at], text[at+1:]
			}
		}
		if _, err := os.Stat(path); err == nil {
			return openBundled(path, node)
		}
		if strings.ContainsAny(path, `/\`) || node != "" || strings.HasSuffix(path, ".zip") {
			return nil, candor.Errorf(candor.ReasonNotFound, "there is no file or directory %s", path)
		}
	}
	return f.openNode(ctx, text)
}

func (f *Factory) openDirectory(path string) (*logSource, error) {
	logger := hclog.New(&hclog.LoggerOptions{Name: "candor", Level: hclog.Warn, Output: f.Err})
	remains, err := server.OpenRemains(path, logger)
	if err != nil {
		switch candor.ReasonOf(err) {
		case candor.ReasonDataLocked:
			return nil, try(err, "candor replay SERVER      ask the server that runs on it")
		case candor.ReasonNotFound:
			return nil, try(err, directoriesIn(path)...)
		default:
			return nil, err
		}
	}
	d := &directorySource{remains: remains}
	if d.origin, err = d.look(path); err != nil {
		return nil, errors.Join(err, remains.Close())
	}
	return &logSource{Source: d, close: remains.Close}, nil
}

// directoriesIn are what to try where path holds data directories and is none.
func directoriesIn(path string) []string {
	found, _ := filepath.Glob(filepath.Join(path, "*", "identity.json"))
	var steps []string
	for _, f := range found {
		steps = append(steps, "candor replay "+filepath.Dir(f))
	}
	if len(steps) == 0 {
		steps = []string{"candor replay --help"}
	}
	return steps
}

// directorySource is the data directory of a stopped server.
type directorySource struct {
	remains *server.Remains
	origin  replay.Origin
}

func (d *directorySource) look(path string) (replay.Origin, error) {
	o := replay.Origin{Name: path}
	var name string
	o.ClusterID, o.NodeID, name = d.remains.Identity()
	if name != "" {
		o.Name = name + " (" + path + ")"
	}
	var err error
	if o.First, o.Last, err = d.remains.Bounds(); err != nil {
		return o, err
	}
	snapshots, err := d.remains.Snapshots()
	if err != nil {
		return o, err
	}
	for _, s := range snapshots {
		o.Snapshots = append(o.Snapshots, replay.Snapshot{ID: s.ID, Index: s.Index, Term: s.Term, Bytes: s.Bytes})
	}
	return o, nil
}

// Origin is what the directory holds.
func (d *directorySource) Origin() replay.Origin { return d.origin }

// Snapshot opens one.
func (d *directorySource) Snapshot(_ context.Context, id string) (io.ReadCloser, error) {
	return d.remains.Snapshot(id)
}

// Entries reads the log.
func (d *directorySource) Entries(_ context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return func(yield func(replay.Entry, error) bool) {
		for index := max(from, d.origin.First); index <= min(to, d.origin.Last) && index != 0; index++ {
			r, err := d.remains.Record(index)
			if err != nil {
				yield(replay.Entry{}, err)
				return
			}
			e := replay.Entry{Index: r.Index, Term: r.Term, Type: r.Type, Data: r.Data}
			for _, m := range r.Members {
				e.Members = append(e.Members, replay.Member(m))
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// openBundled opens the log of a node in a bundle; of the only one where none is named.
func openBundled(path, node string) (*logSource, error) {
	b, err := bundle.Open(path)
	if err != nil {
		return nil, err
	}
	logs, err := b.Logs()
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	var names []string
	for _, l := range logs {
		names = append(names, l.Node())
		if l.Node() == node || node == "" && len(logs) == 1 {
			return &logSource{Source: l, close: b.Close}, nil
		}
	}
	switch {
	case len(logs) == 0:
		err = try(candor.Errorf(candor.ReasonReplayUnavailable, "bundle %s has no log of any node: it was made without data", path),
			"candor debug inspect "+path, "candor debug bundle --with-data")
	case node == "":
		err = try(usage("bundle %s has the logs of %s: say which", path, strings.Join(names, ", ")), "candor replay "+path+"@"+names[0])
	default:
		err = candor.Errorf(candor.ReasonNotFound, "bundle %s has no log of %q; it has those of %s", path, node, strings.Join(names, ", "))
	}
	return nil, errors.Join(err, b.Close())
}

// liveSnapshot stands for the state that a node is in now.
const liveSnapshot = "now"

// nodeSource is a running server.
type nodeSource struct {
	journal JournalReader
	keeper  Keeper
	address string
	origin  replay.Origin
}

func (f *Factory) openNode(ctx context.Context, name string) (*logSource, error) {
	remote, err := f.Remote()
	if err != nil {
		return nil, err
	}
	address := remote.Servers[0]
	if name != "" {
		if address, err = f.address(ctx, remote, name); err != nil {
			return nil, err
		}
	}
	n := newNodeSource(remote, address)
	if err := n.look(ctx, remote.Node(address)); err != nil {
		return nil, try(err, "candor diagnostics --all")
	}
	return &logSource{Source: n, live: liveSnapshot, close: func() error { return nil }}, nil
}

func newNodeSource(remote *Remote, address string) *nodeSource {
	return &nodeSource{journal: remote.Journal(address), keeper: remote.Keeper, address: address}
}

// look asks for digests first: all of them are then of entries that the extent covers.
func (n *nodeSource) look(ctx context.Context, node NodeReader) error {
	digests, undigested := node.Digests(ctx, 0)
	extent, err := n.journal.LogExtent(ctx)
	if err != nil {
		return err
	}
	o := replay.OriginOf(extent.NodeName+" ("+n.address+")", extent)
	if undigested != nil {
		o.Missing = append(o.Missing, "the digests that it published: "+undigested.Error())
	}
	for _, d := range digests {
		digest, err := replay.DigestOf(d.Digest)
		if err != nil {
			return err
		}
		o.Points = append(o.Points, replay.Point{Index: d.Index, Digest: digest, By: "node " + extent.NodeName})
	}
	n.origin = o
	return nil
}

// Origin is what the server held when it was looked at.
func (n *nodeSource) Origin() replay.Origin { return n.origin }

// Entries streams the server's log.
func (n *nodeSource) Entries(ctx context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return replay.EntriesOf(ctx, n.journal, from, to)
}

// Snapshot fetches one, or the state of now, into a file that its Close removes.
func (n *nodeSource) Snapshot(ctx context.Context, id string) (_ io.ReadCloser, err error) {
	file, err := os.CreateTemp("", "candor-snapshot-*")
	if err != nil {
		return nil, internal("fetch snapshot", err)
	}
	spooled := &spooledFile{file}
	defer func() {
		if err != nil {
			err = errors.Join(err, spooled.Close())
		}
	}()
	if id == liveSnapshot {
		_, err = n.keeper.Snapshot(ctx, file, nil, client.OnEndpoint(n.address))
	} else {
		_, err = n.journal.LogSnapshot(ctx, id, file)
	}
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, internal("fetch snapshot", err)
	}
	return spooled, nil
}

// spooledFile is removed when it is closed.
type spooledFile struct{ *os.File }

// Close closes and removes it.
func (s *spooledFile) Close() error { return errors.Join(s.File.Close(), os.Remove(s.Name())) }
