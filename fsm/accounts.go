package fsm

import (
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/placement"
	"github.com/candor-plane/candor/internal/zoo"
)

// Account is what live placements hold of one node.
type Account struct {
	Node, NodeUID string
	// Instances counts the live placements.
	Instances int
	// Held is the sum of what they ask for; it must not be modified.
	Held candor.Resources
}

// Accounts are kept as instances change and counted anew at a restore: they follow
// from the objects, so neither snapshot nor digest has them.
type accounts = btree.BTreeG[Account]

func newAccounts() *accounts {
	return btree.NewBTreeGOptions(func(a, b Account) bool {
		if a.Node != b.Node {
			return a.Node < b.Node
		}
		return a.NodeUID < b.NodeUID
	}, btree.Options{NoLocks: true})
}

// Held is what live placements hold of a node; of one that has none, nothing.
func (v *View) Held(node, uid string) Account { return heldOf(v.accounts, node, uid) }

// Accounts calls yield for the nodes that hold a live placement, in order of their
// names. A node of an earlier life of the name is one of its own.
func (v *View) Accounts(yield func(Account) bool) { v.accounts.Scan(yield) }

func heldOf(a *accounts, node, uid string) Account {
	key := Account{Node: node, NodeUID: uid}
	if found, ok := a.Get(key); ok && (!zoo.Enabled || !zoo.Has(zoo.CapacityUnseen)) {
		return found
	}
	return key
}

// account takes the change of an instance into the accounts.
func (s *state) account(before, after *candor.Object) {
	if before != nil && after != nil && same(before.Status, after.Status) && same(before.Spec, after.Spec) {
		return
	}
	s.book(before, -1)
	s.book(after, 1)
}

// same is true for an observation, whose other parts are the very bytes from before.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || string(a) == string(b))
}

// book adds what an instance holds to its node's account, or takes it away. What
// cannot be read holds nothing, before and after alike.
func (s *state) book(o *candor.Object, sign int) {
	if o == nil {
		return
	}
	place, ok := placement.PlaceOf(o.Status)
	if !ok || !place.Live() {
		return
	}
	needs, err := placement.Needs(o.Spec)
	if err != nil {
		needs = nil
	}
	a := heldOf(s.accounts, place.Node, place.NodeUID)
	a.Instances += sign
	s.accountsStale = true
	if a.Instances == 0 {
		s.accounts.Delete(a)
		return
	}
	a.Node, a.NodeUID = clone(a.Node), clone(a.NodeUID)
	a.Held = add(a.Held, needs, int64(sign))
	s.accounts.Set(a)
}

// add is held with sign times more, without what is nothing. Published accounts share
// held. It wraps around where it would overflow, so that what was added is taken away
// exactly; below the capacity of a node nothing does.
func add(held, more candor.Resources, sign int64) candor.Resources {
	out := slices.Clone(held)
	for _, m := range more {
		at, found := slices.BinarySearchFunc(out, m.Name, func(a candor.Amount, name string) int { return strings.Compare(a.Name, name) })
		if !found {
			out = slices.Insert(out, at, candor.Amount{Name: clone(m.Name)})
		}
		out[at].Value += sign * m.Value
	}
	return slices.DeleteFunc(out, func(a candor.Amount) bool { return a.Value == 0 })
}

// recount makes the accounts from the objects.
func (s *state) recount() {
	s.accounts, s.accountsStale = newAccounts(), true
	ordinal, ok := s.kindIndex[candor.KindInstances]
	if !ok {
		return
	}
	s.kinds[ordinal].tree.Scan("", "", func(head *mvcc.Version) bool {
		if !head.Deleted {
			s.book(mustDecode(head), 1)
		}
		return true
	})
}
