package fsm

import (
	"cmp"
	"io"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/wire"
	"github.com/candor-plane/candor/internal/zoo"
)

// Restore replaces the state by a snapshot's. It belongs to the goroutine that
// calls Apply.
//
// The new state is built and verified beside the old one: checksums, counts
// and digest. A damaged snapshot is refused whole with DATA_CORRUPT, another
// cluster's with CLUSTER_MISMATCH, one of a newer feature level with
// FEATURE_LEVEL, and one below the served position with CONFLICT; the old
// state then stays.
func (m *Machine) Restore(r io.Reader) error {
	s, err := readSnapshot(r)
	return m.take(s, err)
}

// RestoreBlocks is Restore from blocks that somebody else reads, as ReadBlocks
// does: reading and decompressing takes as long as building, and may run ahead.
func (m *Machine) RestoreBlocks(source BlockSource) error {
	s, err := new(loader).build(source)
	return m.take(s, err)
}

func (m *Machine) take(s *state, err error) error {
	if err != nil {
		return candor.Wrap("restore snapshot", err)
	}
	if m.config.ClusterID != "" && s.clusterID != m.config.ClusterID {
		return candor.Errorf(candor.ReasonClusterMismatch, "snapshot is of cluster %s; this server belongs to %s", s.clusterID, m.config.ClusterID)
	}
	if served := m.View().token; s.token.Index < served.Index || s.token.Revision < served.Revision {
		return candor.Errorf(candor.ReasonConflict, "snapshot is at %s, below the served position %s", s.token, served)
	}
	m.applying.Lock()
	defer m.applying.Unlock()
	m.state, m.policy = s, nil
	m.unlinks = nil
	m.noteDigest()
	m.publish()
	return nil
}

// InspectSnapshot verifies a snapshot whole, as Restore does, and says what it
// holds.
func InspectSnapshot(r io.Reader) (Inspection, error) {
	s, err := readSnapshot(r)
	if err != nil {
		return Inspection{}, candor.Wrap("inspect snapshot", err)
	}
	return inspect(s), nil
}

func headerOf(s *state) SnapshotHeader {
	return SnapshotHeader{
		ClusterID: s.clusterID, HistoryID: s.historyID, Token: s.token, ClusterTime: s.time, Level: s.level,
		LeaderTerm: s.leaderTerm, LeaderID: s.leaderID, Floor: s.floor, Cursor: s.cursor, NextCascade: s.nextCascade,
		Faults: s.faults, Violations: s.violations, AccessEpoch: s.accessEpoch,
		Objects: s.objects, Versions: s.retained, Bytes: s.bytes, Digest: s.digest(),
	}
}

// loader builds a state from records. One that scans takes the sums and counts
// alone and holds no version but the last.
type loader struct {
	s      *state
	header SnapshotHeader
	kind   *kind
	number uint32
	last   *mvcc.Version
	slab   []mvcc.Version
	// contents is the sum over the live objects.
	contents sum
	scans    bool
	// turn is the one that the version before belongs to, as far as its versions
	// came in order. crowded are those that did not, for the end.
	turn    turnSoFar
	crowded []placed
}

type turnSoFar struct {
	revision, versions uint64
	last               *mvcc.Version
}

type placed struct {
	version  *mvcc.Version
	position uint64
}

func readSnapshot(r io.Reader) (*state, error) { return new(loader).read(r) }

func (l *loader) read(r io.Reader) (*state, error) {
	blocks, err := ReadBlocks(r)
	if err != nil {
		return nil, err
	}
	defer blocks.Close()
	return l.build(blocks)
}

func (l *loader) build(source BlockSource) (*state, error) {
	f := &frameReader{source: source}
	kind, body, err := f.next()
	if err != nil {
		return nil, err
	}
	if kind != recordHeader {
		return nil, f.damage("it does not begin with a header")
	}
	if l.header, err = decodeHeader(body); err != nil {
		return nil, err
	}
	if l.header.Level > candor.FeatureLevel {
		return nil, candor.Errorf(candor.ReasonFeatureLevel, "snapshot is of feature level %d; this build supports %d: run a newer build", l.header.Level, candor.FeatureLevel)
	}
	l.begin()
	for {
		kind, body, err := f.next()
		if err != nil {
			return nil, err
		}
		if kind == recordTrailer {
			return l.finish(f, body)
		}
		if err := l.add(kind, body); err != nil {
			return nil, f.damage(err.Error())
		}
	}
}

func (l *loader) begin() {
	h := &l.header
	s := newState(h.ClusterID)
	s.historyID, s.token, s.time, s.level = h.HistoryID, h.Token, h.ClusterTime, h.Level
	s.leaderTerm, s.leaderID, s.floor, s.cursor = h.LeaderTerm, h.LeaderID, h.Floor, h.Cursor
	s.nextCascade, s.faults, s.violations, s.accessEpoch = h.NextCascade, h.Faults, h.Violations, h.AccessEpoch
	s.history = mvcc.NewHistory(h.Cursor)
	l.s = s
}

func (l *loader) add(kind byte, body []byte) error {
	switch kind {
	case recordKind:
		return l.addKind(body)
	case recordVersion:
		return l.addVersion(body)
	case recordCascade:
		c, err := decodeCascade(body)
		l.s.cascades.Set(c.ID, c)
		return err
	case recordMember:
		m, err := decodeMember(body)
		l.s.members = append(l.s.members, m)
		return err
	case recordTenure:
		x, err := tenure.Decode(body)
		if err != nil {
			return err
		}
		l.s.setLineage(x)
		return nil
	case recordLease:
		x, err := decodeLease(body)
		if err == nil {
			l.s.setLease(x)
		}
		return err
	case recordMembers:
		c, err := decodeConfiguration(body)
		l.s.configuration = c
		return err
	case recordTransition:
		x, err := decodeTransitionEntry(body)
		if err == nil {
			l.s.setTransition(x)
		}
		return err
	case recordTurn:
		x, err := decodeRecord(body)
		l.s.records = append(l.s.records, x)
		return err
	case recordRequest:
		x, err := decodeRemembered(body)
		if err == nil && len(x.RequestID) > candor.MaxRequestIDBytes {
			err = candor.Errorf(candor.ReasonDataCorrupt, "a request ID of %d bytes", len(x.RequestID))
		}
		switch {
		case err != nil:
		case l.scans:
			l.s.requests.sum.add(x.hash())
		default:
			l.s.requests.put(x)
		}
		return err
	default:
		return candor.Errorf(candor.ReasonDataCorrupt, "unknown record type %q", kind)
	}
}

func (l *loader) addKind(body []byte) error {
	r := wire.NewReader(body)
	var name candor.KindName
	var touched uint64
	for r.Next() {
		switch r.Field() {
		case 1:
			name = candor.KindName(clone(r.String()))
		case 2:
			touched = r.Uint()
		}
	}
	if r.Err() != nil || name == "" {
		return candor.Errorf(candor.ReasonDataCorrupt, "a kind does not decode")
	}
	l.number = l.s.addKind(name)
	l.kind, l.last = l.s.kinds[l.number], nil
	l.kind.touched, l.kind.stale = touched, true
	return nil
}

func (l *loader) addVersion(body []byte) error {
	x, err := decodeVersion(body)
	if err != nil {
		return err
	}
	bad := func(what string) error { return candor.Errorf(candor.ReasonDataCorrupt, "version %q: %s", x.key, what) }
	switch {
	case l.kind == nil:
		return bad("comes before its kind")
	case x.superseded && (l.last == nil || l.last.Key != x.key || l.last.Revision <= x.revision):
		return bad("is not older than the one before it")
	case !x.superseded && l.last != nil && l.last.Key >= x.key:
		return bad("is out of order")
	case x.revision == 0 || x.revision > l.header.Token.Revision:
		return bad("has an impossible revision")
	}
	if len(l.slab) == 0 {
		l.slab = make([]mvcc.Version, 64)
	}
	v := &l.slab[0]
	l.slab = l.slab[1:]
	v.Key, v.Data, v.Revision, v.Kind, v.Deleted = x.key, x.data, x.revision, l.number, x.deleted
	hash := v.Hash(l.kind.name)
	if x.superseded {
		v.Key = l.last.Key
	} else if !x.deleted {
		l.s.objects++
		l.contents.add(hash)
	}
	if err := l.keep(v, &x); err != nil {
		return err
	}
	l.last = v
	s := l.s
	s.retained++
	s.bytes += v.Size()
	s.versions.add(hash)
	return nil
}

// keep enters the version in trees and indexes.
func (l *loader) keep(v *mvcc.Version, x *versionRecord) error {
	if l.scans {
		return nil
	}
	if x.superseded {
		l.last.Link(v)
	} else if err := l.addHead(v); err != nil {
		return err
	}
	l.place(v, x.position)
	return nil
}

func (l *loader) addHead(v *mvcc.Version) error {
	l.kind.tree.Append(v)
	if v.Deleted {
		return nil
	}
	l.kind.live++
	owners, err := wire.DecodeOwners(v.Data)
	if err != nil {
		return err
	}
	if len(owners) == 0 || zoo.Enabled && zoo.Has(zoo.LoseOrphans) {
		return nil
	}
	o, err := v.Object()
	if err != nil {
		return err
	}
	for i := range o.Metadata.Owners {
		l.s.own(&o.Metadata, i, l.number, v.Key)
	}
	return nil
}

// place enters the version in the index by revision.
func (l *loader) place(v *mvcc.Version, position uint64) {
	if v.Revision <= l.header.Cursor {
		return
	}
	t := &l.turn
	switch {
	case position == 0 && l.s.history.At(v.Revision) == nil:
		l.s.history.Put(v.Revision, v)
		*t = turnSoFar{revision: v.Revision, versions: 1, last: v}
	case v.Revision == t.revision && position == t.versions:
		t.last.LinkSibling(v)
		t.last = v
		t.versions++
	default:
		l.crowded = append(l.crowded, placed{v, position})
	}
}

// finish orders the turns whose versions came in another order, and checks the whole against the
// trailer.
func (l *loader) finish(f *frameReader, body []byte) (*state, error) {
	s := l.s
	slices.SortFunc(l.crowded, func(a, b placed) int {
		switch {
		case a.version.Revision != b.version.Revision:
			return cmp.Compare(a.version.Revision, b.version.Revision)
		default:
			return cmp.Compare(a.position, b.position)
		}
	})
	for _, p := range l.crowded {
		last := s.history.At(p.version.Revision)
		if last == nil {
			return nil, f.damage("a turn misses its first version")
		}
		for last.Sibling() != nil {
			last = last.Sibling()
		}
		last.LinkSibling(p.version)
	}
	s.history.Advance(s.token.Revision)
	if !l.scans {
		s.recount()
		s.reforeground()
	}
	trailer, err := decodeHeader(body)
	if err != nil {
		return nil, err
	}
	if got := headerOf(s); trailer != l.header || got != trailer {
		if got.Digest != trailer.Digest && got.Versions == trailer.Versions {
			return nil, f.damage(sprintf("its digest is %x, its trailer says %x", got.Digest, trailer.Digest))
		}
		return nil, f.damage(sprintf("it holds %d objects in %d versions, its trailer says %d in %d", got.Objects, got.Versions, trailer.Objects, trailer.Versions))
	}
	if err := f.end(); err != nil {
		return nil, err
	}
	return s, nil
}
