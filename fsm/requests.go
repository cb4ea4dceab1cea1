package fsm

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/tidwall/btree"
	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// Remembered is the outcome of an accepted request.
type Remembered struct {
	Actor, RequestID string
	Digest           uint64
	// NotAfter is the cluster time at which it is forgotten.
	NotAfter           int64
	Token              candor.Token
	Changed, Succeeded bool
}

const (
	// maxRequests bounds the table. A full one refuses; it never evicts early.
	maxRequests = 1 << 20
	// maxRequestAge bounds how far ahead NotAfter may lie, in nanoseconds.
	maxRequestAge = int64(10 * 60 * 1e9)
	// expirePerEntry bounds the work that one entry does for others.
	expirePerEntry = 4096
	bucketWidth    = int64(1e9)
)

type requestKey struct{ actor, id string }

// requestTable remembers outcomes until their time. The apply goroutine
// writes; lookups may come from any.
type requestTable struct {
	mu      sync.RWMutex
	byKey   map[requestKey]*Remembered
	buckets *btree.Map[int64, []*Remembered]
	actors  map[string]string
	sum     sum
}

func newRequestTable() *requestTable {
	return &requestTable{byKey: map[requestKey]*Remembered{}, buckets: new(btree.Map[int64, []*Remembered]), actors: map[string]string{}}
}

// admissible refuses what the table could not answer for.
func (t *requestTable) admissible(c *command.Command, now int64) *candor.Error {
	switch {
	case len(c.RequestID) > candor.MaxRequestIDBytes:
		return candor.Errorf(candor.ReasonInvalid, "request ID has %d bytes; at most %d are allowed", len(c.RequestID), candor.MaxRequestIDBytes)
	case c.NotAfter <= now:
		return &candor.Error{Reason: candor.ReasonRequestExpired, Subject: c.RequestID,
			Message: sprintf("request %s was valid until cluster time %d; it is %d now: its earlier outcome, if any, is forgotten", c.RequestID, c.NotAfter, now)}
	case c.NotAfter-now > maxRequestAge:
		return candor.Errorf(candor.ReasonInvalid, "request %s asks to be remembered for %d s; at most %d s are allowed", c.RequestID, (c.NotAfter-now)/1e9, maxRequestAge/1e9)
	case len(t.byKey) >= maxRequests:
		if _, known := t.byKey[requestKey{c.Actor, c.RequestID}]; known {
			return nil
		}
		return candor.Errorf(candor.ReasonQueueSaturated, "%d requests are remembered, the most that may be: try again when some expire", maxRequests)
	default:
		return nil
	}
}

func (t *requestTable) find(actor, id string) (*Remembered, bool) {
	r, ok := t.byKey[requestKey{actor, id}]
	return r, ok
}

func (t *requestTable) remember(c *command.Command, token candor.Token, changed, succeeded bool) {
	t.put(&Remembered{
		Actor: t.intern(c.Actor), RequestID: clone(c.RequestID), Digest: c.Digest, NotAfter: c.NotAfter,
		Token: token, Changed: changed, Succeeded: succeeded,
	})
}

func (t *requestTable) put(r *Remembered) {
	bucket := r.NotAfter / bucketWidth
	list, _ := t.buckets.Get(bucket)
	t.mu.Lock()
	t.byKey[requestKey{r.Actor, r.RequestID}] = r
	t.mu.Unlock()
	t.buckets.Set(bucket, append(list, r))
	t.sum.add(r.hash())
}

// expire forgets whole buckets whose time has passed, oldest first, until
// about limit records are gone.
func (t *requestTable) expire(now int64, limit int) {
	for limit > 0 {
		bucket, list, ok := t.buckets.Min()
		if !ok || (bucket+1)*bucketWidth > now {
			return
		}
		n := min(limit, len(list))
		t.mu.Lock()
		for _, r := range list[:n] {
			delete(t.byKey, requestKey{r.Actor, r.RequestID})
			t.sum.remove(r.hash())
		}
		t.mu.Unlock()
		limit -= n
		if n == len(list) {
			t.buckets.PopMin()
			continue
		}
		t.buckets.Set(bucket, list[n:])
	}
	if len(t.byKey) == 0 {
		t.actors = map[string]string{}
	}
}

// intern keeps one copy of each actor's name.
func (t *requestTable) intern(actor string) string {
	if s, ok := t.actors[actor]; ok {
		return s
	}
	s := clone(actor)
	t.actors[s] = s
	return s
}

// all lists the records in order of expiry, then of arrival.
func (t *requestTable) all() [][]*Remembered {
	var out [][]*Remembered
	t.buckets.Scan(func(_ int64, list []*Remembered) bool {
		out = append(out, slices.Clip(list))
		return true
	})
	return out
}

func (r *Remembered) hash() xxh3.Uint128 {
	b := make([]byte, 0, 160)
	b = binary.AppendUvarint(b, uint64(len(r.Actor)))
	b = append(b, r.Actor...)
	b = append(b, r.RequestID...)
	for _, v := range [...]uint64{r.Digest, uint64(r.NotAfter), r.Token.Term, r.Token.Index, r.Token.Revision, flag(r.Changed), flag(r.Succeeded)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return xxh3.Hash128(b)
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Outcome finds a remembered request. Any goroutine may call it.
func (m *Machine) Outcome(actor, requestID string) (Remembered, bool) {
	t := m.view.Load().requests
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.byKey[requestKey{actor, requestID}]
	if !ok {
		return Remembered{}, false
	}
	return *r, true
}

// replay answers a repeated request with what its turn did.
func (m *Machine) replay(r *Remembered) Result {
	res := Result{Token: r.Token, Revision: r.Token.Revision, Changed: r.Changed, Succeeded: r.Succeeded, Replayed: true}
	s := m.state
	if r.Changed && r.Token.Revision > s.cursor {
		for v := s.history.At(r.Token.Revision); v != nil; v = v.Sibling() {
			res.Ops = append(res.Ops, OpResult{Version: v, Changed: true})
		}
	}
	return res
}
