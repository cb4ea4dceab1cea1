package client

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// directory is every endpoint that this client knows. Readers take no lock;
// endpoints are added and live until close.
type directory struct {
	dialer dialer
	clock  *clock
	known  atomic.Pointer[roster]
	sticky atomic.Pointer[endpoint]
	turn   atomic.Uint32
	// due is the elapsed time at which the members are to be asked for again.
	due atomic.Int64

	mu     sync.Mutex // serialises changes
	closed bool
}

// roster is an immutable state of the directory: rotation is what calls that may
// choose are spread over.
type roster struct {
	byAddr   map[string]*endpoint
	rotation []*endpoint
}

type placing bool

const (
	inRotation placing = true
	pinnedOnly placing = false
)

// A client that lives shorter than this never asks for the members.
const (
	firstRefresh = time.Second
	nextRefresh  = 30 * time.Second
	soonRefresh  = time.Second
)

func newDirectory(d dialer, k *clock) *directory {
	dir := &directory{dialer: d, clock: k}
	dir.known.Store(&roster{byAddr: map[string]*endpoint{}})
	dir.due.Store(k.elapsed() + int64(firstRefresh))
	return dir
}

func (d *directory) roster() *roster { return d.known.Load() }

// add returns the endpoint at addr, new if need be.
func (d *directory) add(addr string, where placing) (*endpoint, error) {
	if ep, ok := d.roster().byAddr[addr]; ok && (where == pinnedOnly || slices.Contains(d.roster().rotation, ep)) {
		return ep, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed()
	}
	old := d.roster()
	ep, ok := old.byAddr[addr]
	next := &roster{byAddr: old.byAddr, rotation: old.rotation}
	if !ok {
		var err error
		if ep, err = d.dialer.open(addr); err != nil {
			return nil, err
		}
		next.byAddr = maps.Clone(old.byAddr)
		next.byAddr[addr] = ep
	}
	if where == inRotation && !slices.Contains(old.rotation, ep) {
		next.rotation = append(slices.Clone(old.rotation), ep)
	}
	d.known.Store(next)
	return ep, nil
}

// setMembers makes the rotation the configured endpoints and the members that
// none of them stands for. One that is no member any more stays open for calls
// under way.
func (d *directory) setMembers(members []*candorv1.Member) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	old := d.roster()
	next := &roster{byAddr: maps.Clone(old.byAddr)}
	for _, ep := range old.rotation {
		if ep.configured {
			next.rotation = append(next.rotation, ep)
		}
	}
	for _, m := range members {
		ep := next.standsFor(m)
		if ep == nil && m.GetApiAddress() != "" {
			var err error
			if ep, err = d.dialer.open(m.GetApiAddress()); err != nil {
				continue // an address that nobody can dial is none
			}
			next.byAddr[ep.addr] = ep
		}
		if ep != nil && !slices.Contains(next.rotation, ep) {
			next.rotation = append(next.rotation, ep)
		}
	}
	d.known.Store(next)
}

func (r *roster) standsFor(m *candorv1.Member) *endpoint {
	for _, ep := range r.rotation {
		if ep.isNode(m.GetServerId(), m.GetName()) {
			return ep
		}
	}
	return r.byAddr[m.GetApiAddress()]
}

// resolve finds or makes the endpoint of a leader hint given by the node at from:
// another one whose node is known to be the leader, or the one at the hint's
// address. It is nil when neither is known.
func (d *directory) resolve(from *endpoint, hint *candor.LeaderHint) *endpoint {
	for _, ep := range d.roster().rotation {
		if ep != from && ep.isNode(hint.ServerID, hint.Name) {
			return ep
		}
	}
	if hint.Address == "" {
		return nil
	}
	ep, err := d.add(hint.Address, inRotation)
	if err != nil {
		return nil // an address that nobody can dial is no hint
	}
	return ep
}

// any is the endpoint for a node's own word, which every node can give: one and
// the same as long as it answers.
func (d *directory) any() *endpoint {
	if ep := d.sticky.Load(); ep != nil {
		return ep
	}
	return d.after(nil)
}

// after is the next endpoint of the rotation after ep that is not suspect, one
// that can serve reads if there is any, or the next one at all if all are
// suspect; calls that may choose stick to it from now on.
func (d *directory) after(ep *endpoint) *endpoint {
	now := d.clock.elapsed()
	others := d.from(ep)
	next := others[0]
	best := failing
	for _, candidate := range others {
		if r := candidate.streamRank(now); r < best && candidate != ep {
			next, best = candidate, r
			if r <= behind {
				break
			}
		}
	}
	if was := d.sticky.Load(); was == nil || was == ep {
		d.sticky.CompareAndSwap(was, next)
	}
	return next
}

// from is the rotation, beginning after ep.
func (d *directory) from(ep *endpoint) []*endpoint {
	rotation := d.roster().rotation
	at := slices.Index(rotation, ep) + 1
	return slices.Concat(rotation[at:], rotation[:at])
}

// avoid keeps ep out of the rotation for a while.
func (d *directory) avoid(ep *endpoint, during time.Duration) {
	ep.suspect.Store(d.clock.elapsed() + int64(during))
}

func (d *directory) suspect(ep *endpoint) bool { return ep.suspect.Load() > d.clock.elapsed() }

// claimRefresh says whether the caller is the one to ask for the members now;
// soon lets it be earlier than usual.
func (d *directory) claimRefresh(soon bool) bool {
	now, due := d.clock.elapsed(), d.due.Load()
	earliest := due
	if soon {
		earliest -= int64(nextRefresh - soonRefresh)
	}
	return now >= earliest && d.due.CompareAndSwap(due, now+int64(nextRefresh))
}

// shuffle makes clients of one configuration start at different endpoints.
func (d *directory) shuffle() {
	rotation := d.roster().rotation
	d.sticky.Store(rotation[rand.IntN(len(rotation))])
}

func (d *directory) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	var first error
	for _, ep := range d.roster().byAddr {
		if err := ep.close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func errClosed() *candor.Error {
	return candor.Errorf(candor.ReasonCanceled, "the client is closed")
}
