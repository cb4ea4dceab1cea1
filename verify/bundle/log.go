package bundle

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/replay"
)

const (
	originName  = "log.json"
	entriesName = "log.jsonl"
	digestsName = "digests.json"
)

// Folder is where what a node said is kept. A name is what a node says of itself: it
// makes no folder of another.
func Folder(node string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, node)
	if clean == "" {
		clean = "_"
	}
	return "nodes/" + clean + "/"
}

// AddDigests writes the digests that a node published.
func (w *Writer) AddDigests(node string, points []replay.Point) error {
	return w.AddJSON(Folder(node)+digestsName, "digests of its state, by log index", points)
}

// AddLog writes a node's entries, from its first on, until their number in bytes is most,
// and what its log is. It says up to which entry that was, and what they took.
func (w *Writer) AddLog(ctx context.Context, node string, source replay.Source, from, to uint64, most int64) (last uint64, bytes int64, err error) {
	origin := source.Origin()
	err = w.Add(Folder(node)+entriesName, "log entries", func(out io.Writer) error {
		buffered := bufio.NewWriter(out)
		lines := &bounded{to: buffered, left: most}
		defer func() { bytes = most - lines.left }()
		encoder := json.NewEncoder(lines)
		for e, err := range source.Entries(ctx, from, to) {
			if err == nil {
				err = encoder.Encode(&e)
			}
			if err != nil {
				return errors.Join(err, buffered.Flush())
			}
			last = e.Index
		}
		return buffered.Flush()
	})
	origin.First, origin.Last = from, last
	if last == 0 {
		origin.First = 0
	}
	if origin.Committed > last {
		origin.Committed = last
	}
	origin.Snapshots = nil
	for _, s := range source.Origin().Snapshots {
		if w.has(snapshotPath(node, s.ID)) {
			origin.Snapshots = append(origin.Snapshots, s)
		}
	}
	return last, bytes, errors.Join(err, w.AddJSON(Folder(node)+originName, "what of its log is here", origin))
}

// AddSnapshot writes a snapshot of a node. It comes before the log.
func (w *Writer) AddSnapshot(ctx context.Context, node string, source replay.Source, id string) error {
	return w.Add(snapshotPath(node, id), "snapshot of the state", func(out io.Writer) (err error) {
		contents, err := source.Snapshot(ctx, id)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, contents.Close()) }()
		_, err = io.Copy(out, contents)
		return err
	})
}

func snapshotPath(node, id string) string { return Folder(node) + "snapshot-" + id + ".bin" }

// has says whether the part was added whole.
func (w *Writer) has(path string) bool {
	for _, p := range w.parts {
		if p.Path == path {
			return p.Incomplete == ""
		}
	}
	return false
}

// bounded takes whole lines, up to so many bytes.
type bounded struct {
	to   io.Writer
	left int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left < int64(len(p)) {
		return 0, candor.Errorf(candor.ReasonTurnTooLarge, "the bound on the bundle's size is reached")
	}
	b.left -= int64(len(p))
	return b.to.Write(p)
}

// Log is the log of one node in a bundle.
type Log struct {
	bundle *Reader
	node   string
	origin replay.Origin
}

// Logs are those that the bundle has, in the order of the manifest.
func (r *Reader) Logs() ([]*Log, error) {
	var out []*Log
	for _, n := range r.manifest.Nodes {
		if !r.Has(Folder(n.Name) + originName) {
			continue
		}
		l := &Log{bundle: r, node: n.Name}
		if err := r.JSON(Folder(n.Name)+originName, &l.origin); err != nil {
			return nil, err
		}
		l.origin.Name = r.path + "@" + n.Name
		if r.Has(Folder(n.Name) + digestsName) {
			if err := r.JSON(Folder(n.Name)+digestsName, &l.origin.Points); err != nil {
				return nil, err
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// Node is whose log it is.
func (l *Log) Node() string { return l.node }

// Origin is what the bundle has of it.
func (l *Log) Origin() replay.Origin { return l.origin }

// Snapshot opens the contents of one.
func (l *Log) Snapshot(_ context.Context, id string) (io.ReadCloser, error) {
	return l.bundle.Part(snapshotPath(l.node, id))
}

// Entries yields entries in order.
func (l *Log) Entries(ctx context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return func(yield func(replay.Entry, error) bool) {
		part, err := l.bundle.Part(Folder(l.node) + entriesName)
		if err != nil {
			yield(replay.Entry{}, err)
			return
		}
		defer func() { _ = part.Close() }()
		for decoder := json.NewDecoder(part); ; {
			var e replay.Entry
			switch err := decoder.Decode(&e); {
			case errors.Is(err, io.EOF):
				return
			case err != nil && candor.ReasonOf(err) == candor.ReasonDataCorrupt:
				yield(replay.Entry{}, err)
				return
			case err != nil:
				yield(replay.Entry{}, candor.Errorf(candor.ReasonDataCorrupt, "%s: the log does not decode: %w", l.origin.Name, err))
				return
			case ctx.Err() != nil:
				yield(replay.Entry{}, candor.Wrap("read bundle", ctx.Err()))
				return
			case e.Index > to:
				return
			case e.Index >= from && !yield(e, nil):
				return
			}
		}
	}
}
