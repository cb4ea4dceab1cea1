package fsm

import (
	"github.com/tidwall/btree"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/zoo"
)

// View is what a node has applied, at one position of the root: immutable, and
// readable by any goroutine for as long as it is held.
type View struct {
	token         candor.Token
	clusterID     string
	historyID     string
	time          int64
	level         uint32
	leaderTerm    uint64
	floor, cursor uint64
	digest        Digest
	kinds         []viewKind
	kindIndex     map[candor.KindName]uint32
	history       mvcc.History
	cascades      *btree.Map[uint64, Cascade]
	nextCascade   uint64
	members       []Member
	records       []Record
	requests      *requestTable
	owners        *btree.BTreeG[ownership]
	stats         Stats
	rewinds       uint64
	accessEpoch   uint64
	policy        *policy.Policy
	tenures       lineages
	configuration transition.Configuration
	transitions   *transitionIndex
	accounts      *accounts
	leases        *leases
}

type viewKind struct {
	name    candor.KindName
	tree    mvcc.Tree
	live    uint64
	touched uint64
}

// Stats counts a view's contents.
type Stats struct {
	Objects, Versions, Bytes, Requests, Cascades, Faults, Violations uint64
}

// Rewinds is how often this process put a state of fewer revisions in the place
// of one that was wrong. Tokens of views with different numbers do not compare.
func (v *View) Rewinds() uint64 { return v.rewinds }

// publish makes the state visible.
func (m *Machine) publish() {
	s := m.state
	v := &View{
		token: s.token, clusterID: s.clusterID, historyID: s.historyID, time: s.time, level: s.level,
		leaderTerm: s.leaderTerm, floor: s.floor, cursor: s.cursor, kindIndex: s.kindIndex, history: s.history,
		nextCascade: s.nextCascade, members: s.members, records: s.records, requests: s.requests, digest: s.digest(),
		kinds: make([]viewKind, len(s.kinds)), rewinds: m.rewinds,
		accessEpoch: s.accessEpoch, policy: m.compiled(), tenures: s.tenures, configuration: s.membersUnder(s.leaderID),
		stats: Stats{
			Objects: s.objects, Versions: s.retained, Bytes: s.bytes, Requests: uint64(s.requests.len()),
			Cascades: uint64(s.cascades.Len()), Faults: s.faults, Violations: s.violations,
		},
	}
	for i, k := range s.kinds {
		if k.stale {
			k.copied, k.stale = k.tree.Copy(), false
		}
		v.kinds[i] = viewKind{name: k.name, tree: k.copied, live: k.live, touched: k.touched}
	}
	if s.ownersStale {
		s.ownersCopied, s.ownersStale = s.owners.Copy(), false
	}
	v.owners = s.ownersCopied
	if s.transitionsStale {
		s.transitionsCopied, s.transitionsStale = s.transitions.Copy(), false
	}
	v.transitions = s.transitionsCopied
	if s.accountsStale {
		s.accountsCopied, s.accountsStale = s.accounts.Copy(), false
	}
	if s.leasesStale {
		s.leasesCopied, s.leasesStale = s.leases.Copy(), false
	}
	v.accounts, v.leases = s.accountsCopied, s.leasesCopied
	if old := m.view.Load(); old != nil && s.cascades.Len() == 0 && old.cascades.Len() == 0 {
		v.cascades = old.cascades
	} else {
		v.cascades = s.cascades.Copy()
	}
	m.view.Store(v)
}

// View is the newest published view.
func (m *Machine) View() *View { return m.view.Load() }

// Token is the position in the root that the view is of.
func (v *View) Token() candor.Token { return v.token }

// ClusterID is the cluster the view belongs to, HistoryID its history.
func (v *View) ClusterID() string { return v.clusterID }

// HistoryID is the history the view belongs to.
func (v *View) HistoryID() string { return v.historyID }

// ClusterTime is in nanoseconds; it stands still without a leader.
func (v *View) ClusterTime() int64 { return v.time }

// Level is the replicated feature level.
func (v *View) Level() uint32 { return v.level }

// LeaderTerm is the term of the newest LeaderStart in the view.
func (v *View) LeaderTerm() uint64 { return v.leaderTerm }

// Floor is the oldest revision that may be read.
func (v *View) Floor() uint64 { return v.floor }

// Digest is the state's.
func (v *View) Digest() Digest { return v.digest }

// Stats counts the view's contents.
func (v *View) Stats() Stats { return v.stats }

// Members is what servers said of themselves; it must not be modified.
func (v *View) Members() []Member { return v.members }

// Records are the newest blocked turns; they must not be modified.
func (v *View) Records() []Record { return v.records }

// Cascades lists the cascades of which a page may do something, oldest first, at most
// limit. Those that wait for a dependent are not among them.
func (v *View) Cascades(limit int) []Cascade {
	var out []Cascade
	v.cascades.Scan(func(_ uint64, c Cascade) bool {
		if c.Waits {
			return true
		}
		out = append(out, c)
		return len(out) < limit
	})
	return out
}

// KindName of an ordinal that a version of this state carries.
func (v *View) KindName(ordinal uint32) candor.KindName {
	if int(ordinal) >= len(v.kinds) {
		return ""
	}
	return v.kinds[ordinal].name
}

// Touched is the last revision that changed an object of the kind.
func (v *View) Touched(kind candor.KindName) uint64 {
	if k := v.kind(kind); k != nil {
		return k.touched
	}
	return 0
}

func (v *View) kind(name candor.KindName) *viewKind {
	ordinal, ok := v.kindIndex[name]
	if !ok {
		return nil
	}
	return &v.kinds[ordinal]
}

// Readable returns COMPACTED for a revision below the floor and
// ROOT_TOKEN_NOT_REACHED for one that the view has not applied.
func (v *View) Readable(revision uint64) error {
	switch {
	case revision < v.floor:
		return v.compacted(revision)
	case revision > v.token.Revision:
		return &candor.Error{Reason: candor.ReasonRootTokenNotReached, Revision: v.token.Revision,
			Message: sprintf("revision %d is ahead of this view, which is at %d", revision, v.token.Revision)}
	default:
		return nil
	}
}

func (v *View) compacted(revision uint64) error {
	return &candor.Error{Reason: candor.ReasonCompacted, Revision: v.floor,
		Message: sprintf("revision %d is compacted; the floor is %d: list again and go on from there", revision, v.floor)}
}

// Get is the live version of an object as of a readable revision (0 for the
// view's own), or nil.
func (v *View) Get(ref candor.Ref, revision uint64) (*mvcc.Version, error) {
	k := v.kind(ref.Kind)
	if k == nil {
		return nil, nil
	}
	var found *mvcc.Version
	if revision == 0 {
		found = k.tree.Head(ref.Key())
	} else {
		if err := v.Readable(revision); err != nil {
			return nil, err
		}
		found = k.tree.At(ref.Key(), revision)
		if zoo.Enabled && zoo.Has(zoo.PastIsNow) {
			found = k.tree.Head(ref.Key())
		}
	}
	if found == nil || found.Deleted {
		return nil, nil
	}
	return found, nil
}

// List calls yield for the live objects of a kind with keys strictly after the
// given one, in key order, as of a readable revision (0 for the view's own).
// An empty namespace lists all.
func (v *View) List(kind candor.KindName, namespace, after string, revision uint64, yield func(*mvcc.Version) bool) error {
	if revision == 0 {
		revision = v.token.Revision
	} else if err := v.Readable(revision); err != nil {
		return err
	}
	k := v.kind(kind)
	if k == nil {
		return nil
	}
	prefix := ""
	if namespace != "" {
		prefix = namespace + "/"
	}
	k.tree.ScanAt(prefix, after, revision, yield)
	return nil
}

// Live counts the live objects of a kind.
func (v *View) Live(kind candor.KindName) uint64 {
	if k := v.kind(kind); k != nil {
		return k.live
	}
	return 0
}

// Chain calls yield for the retained versions of an object, newest first.
func (v *View) Chain(ref candor.Ref, yield func(*mvcc.Version) bool) {
	k := v.kind(ref.Kind)
	if k == nil {
		return
	}
	for x := k.tree.Head(ref.Key()); x != nil && yield(x); {
		if x.Revision <= v.cursor {
			return
		}
		x = x.Prev()
	}
}

// Turn is the first version that the turn of a revision made, or nil: the
// revision is at or below the floor, above the view, or changed nothing. Its
// siblings follow in the turn's order.
func (v *View) Turn(revision uint64) *mvcc.Version { return v.history.At(revision) }

// Before is the version that x replaced, or nil when x created the object or
// when it is pruned.
func (v *View) Before(x *mvcc.Version) *mvcc.Version {
	if x.Revision <= v.cursor {
		return nil
	}
	if prev := x.Prev(); prev != nil && !prev.Deleted {
		return prev
	}
	return nil
}

// version finds one exact version.
func (v *View) version(kind candor.KindName, key string, revision uint64) *mvcc.Version {
	k := v.kind(kind)
	if k == nil {
		return nil
	}
	if x := k.tree.At(key, revision); x != nil && x.Revision == revision {
		return x
	}
	return nil
}
