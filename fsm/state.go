package fsm

import (
	"github.com/tidwall/btree"
	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/transition"
)

// state is everything that a snapshot carries. One goroutine owns it.
type state struct {
	clusterID string
	historyID string

	token candor.Token
	// time is cluster time in nanoseconds; it never moves backward.
	time  int64
	level uint32

	// leaderTerm and leaderID are of the newest LeaderStart.
	leaderTerm uint64
	leaderID   string

	// floor is the oldest revision that reads may ask for; versions superseded
	// at or below cursor are pruned already. cursor <= floor.
	floor, cursor uint64

	kinds     []*kind
	kindIndex map[candor.KindName]uint32
	history   mvcc.History
	owners    *btree.BTreeG[ownership]

	cascades    *btree.Map[uint64, Cascade]
	nextCascade uint64
	members     []Member
	records     []Record
	// accessEpoch is how often access control was opened; 0 says that it is off.
	accessEpoch uint64
	faults      uint64
	violations  uint64
	requests    *requestTable
	// tenures are the lineages of duties, by name; tenureSum is of them.
	tenures   lineages
	tenureSum sum
	// configuration is of the newest configuration entry; who leads is leaderID.
	configuration transition.Configuration
	// transitions is the index of transitions, transitionSum is of it.
	transitions   *transitionIndex
	transitionSum sum
	// accounts are what live placements hold; they follow from the objects.
	accounts *accounts
	// leases are when workers were heard of last, leaseSum is of them.
	leases   *leases
	leaseSum sum
	// foreground are the cascades in the foreground, by the UID of their owner.
	foreground map[string]uint64

	versions sum
	objects  uint64
	retained uint64
	bytes    uint64

	// ownersCopied is the index as last published; ownersStale is set by
	// changes.
	ownersCopied *btree.BTreeG[ownership]
	ownersStale  bool
	// transitionsCopied and transitionsStale likewise.
	transitionsCopied *transitionIndex
	transitionsStale  bool
	// accountsCopied and leasesCopied likewise.
	accountsCopied *accounts
	accountsStale  bool
	leasesCopied   *leases
	leasesStale    bool
}

// kind is the objects of one kind. Its place in state.kinds is its ordinal,
// which it keeps for ever, even while no Kind object declares it.
type kind struct {
	name candor.KindName
	tree mvcc.Tree
	// live counts objects that are not deleted.
	live uint64
	// touched is the last revision that changed an object of the kind.
	touched uint64
	// copied is the tree as last published; stale is set by changes.
	copied mvcc.Tree
	stale  bool
	// recent is the head that was looked up last: a turn looks twice.
	recent *mvcc.Version
}

// head is the newest version at key, a deletion included, or nil.
func (k *kind) head(key string) *mvcc.Version {
	if k.recent == nil || k.recent.Key != key {
		k.recent = k.tree.Head(key)
	}
	return k.recent
}

func (k *kind) set(v *mvcc.Version) {
	k.tree.Set(v)
	k.recent = v
}

func (k *kind) delete(v *mvcc.Version) {
	k.tree.Delete(v)
	k.recent = nil
}

// ownership says that the object at (kind, key) names the owner.
type ownership struct {
	owner string
	kind  uint32
	key   string
	// blocks says that it blocks the owner's deletion; it is no part of the order.
	blocks bool
}

func newOwners() *btree.BTreeG[ownership] {
	return btree.NewBTreeGOptions(func(a, b ownership) bool {
		switch {
		case a.owner != b.owner:
			return a.owner < b.owner
		case a.kind != b.kind:
			return a.kind < b.kind
		default:
			return a.key < b.key
		}
	}, btree.Options{NoLocks: true})
}

// Member is what a server said of itself in a Hello.
type Member struct {
	ServerID string
	Name     string
	// APIAddress is where it serves clients and peers.
	APIAddress string
	// Level is the highest feature level that it supports.
	Level uint32
}

// Record is a turn that was blocked by a fault or an invariant.
type Record struct {
	Index     uint64
	Ordinal   uint32
	Reason    candor.Reason
	Invariant string
	Subject   string
	Actor     string
	Detail    string
}

// maxRecords bounds the records that the state keeps: the newest.
const maxRecords = 256

// sum is a multiset hash: the sum, modulo 2^128, of the members' hashes.
// Adding and removing are constant-time and order does not matter.
type sum struct{ hi, lo uint64 }

func (s *sum) add(h xxh3.Uint128) {
	lo := s.lo + h.Lo
	carry := uint64(0)
	if lo < s.lo {
		carry = 1
	}
	s.lo, s.hi = lo, s.hi+h.Hi+carry
}

func (s *sum) remove(h xxh3.Uint128) {
	borrow := uint64(0)
	if s.lo < h.Lo {
		borrow = 1
	}
	s.lo, s.hi = s.lo-h.Lo, s.hi-h.Hi-borrow
}

func newState(clusterID string) *state {
	return &state{
		clusterID:   clusterID,
		level:       1,
		kindIndex:   map[candor.KindName]uint32{},
		history:     mvcc.NewHistory(0),
		owners:      newOwners(),
		ownersStale: true,
		cascades:    new(btree.Map[uint64, Cascade]),
		requests:    newRequestTable(),
		transitions: new(transitionIndex), transitionsStale: true,
		accounts: newAccounts(), accountsStale: true,
		leases: new(leases), leasesStale: true,
		foreground: map[string]uint64{},
	}
}

// addKind gives a kind its ordinal, once. The index is replaced, not changed:
// published views share it.
func (s *state) addKind(name candor.KindName) uint32 {
	if ordinal, ok := s.kindIndex[name]; ok {
		return ordinal
	}
	ordinal := uint32(len(s.kinds))
	tree := mvcc.NewTree()
	s.kinds = append(s.kinds, &kind{name: name, tree: tree, copied: tree.Copy()})
	index := make(map[candor.KindName]uint32, len(s.kinds))
	for i, k := range s.kinds {
		index[k.name] = uint32(i)
	}
	s.kindIndex = index
	return ordinal
}

// head is the newest version of an object, a deletion included, or nil.
func (s *state) head(ref candor.Ref) *mvcc.Version {
	ordinal, ok := s.kindIndex[ref.Kind]
	if !ok {
		return nil
	}
	return s.kinds[ordinal].head(ref.Key())
}
