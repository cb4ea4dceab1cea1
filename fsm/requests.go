package fsm

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"

	"github.com/tidwall/btree"
	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/internal/zoo"
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

// requestTable remembers outcomes until their time. The apply goroutine
// writes; lookups may come from any. A busy server remembers half a million at
// once, so records and index hold no pointers: the garbage collector passes
// them by.
type requestTable struct {
	mu sync.RWMutex
	// index finds a record by the hash of its key. Where two keys have one hash,
	// the later is in clashes.
	index   map[uint64]place
	clashes map[requestKey]place
	buckets *btree.Map[int64, *requestBucket]
	actors  *actorNames
	sum     sum
}

type requestKey struct{ actor, id string }

// place is where a record is: in which bucket, and where in that.
type place struct {
	bucket int64
	at     uint32
}

// requestRecord is a Remembered without pointers. It does not change once it is
// in the table.
type requestRecord struct {
	digest                uint64
	notAfter              int64
	term, index, revision uint64
	actor                 uint32
	changed, succeeded    bool
	idBytes               uint8
	id                    [candor.MaxRequestIDBytes]byte
}

// requestBucket holds the records that end within one second, in order of
// arrival; those before from are forgotten. Chunks grow, so that a bucket of few
// is small.
type requestBucket struct {
	chunks   [][]requestRecord
	from, to uint32
}

const (
	firstChunk = 8
	largeChunk = 512
	// smallRecords are in the chunks that grow.
	smallChunks  = 6
	smallRecords = firstChunk<<smallChunks - firstChunk
)

// locate says which chunk holds record i, and where.
func locate(i uint32) (chunk, at int) {
	if i >= smallRecords {
		i -= smallRecords
		return smallChunks + int(i/largeChunk), int(i % largeChunk)
	}
	chunk = bits.Len32(i/firstChunk+1) - 1
	return chunk, int(i) - (firstChunk<<chunk - firstChunk)
}

func (b *requestBucket) record(i uint32) *requestRecord {
	chunk, at := locate(i)
	return &b.chunks[chunk][at]
}

func (b *requestBucket) add(r *requestRecord) uint32 {
	chunk, at := locate(b.to)
	if chunk == len(b.chunks) {
		b.chunks = append(b.chunks, make([]requestRecord, min(firstChunk<<chunk, largeChunk)))
	}
	b.chunks[chunk][at] = *r
	b.to++
	return b.to - 1
}

func newRequestTable() *requestTable {
	return &requestTable{
		index: map[uint64]place{}, clashes: map[requestKey]place{},
		buckets: new(btree.Map[int64, *requestBucket]), actors: newActorNames(),
	}
}

// admissible refuses what the table could not answer for.
func (t *requestTable) admissible(c *command.Command, now int64) *candor.Error {
	switch {
	case len(c.RequestID) > candor.MaxRequestIDBytes:
		return candor.Errorf(candor.ReasonInvalid, "request ID has %d bytes; at most %d are allowed", len(c.RequestID), candor.MaxRequestIDBytes)
	case c.NotAfter <= now && (!zoo.Enabled || !zoo.Has(zoo.ExpireLate)):
		return &candor.Error{Reason: candor.ReasonRequestExpired, Subject: c.RequestID,
			Message: sprintf("request %s was valid until cluster time %d; it is %d now: its earlier outcome, if any, is forgotten", c.RequestID, c.NotAfter, now)}
	case c.NotAfter-now > maxRequestAge:
		return candor.Errorf(candor.ReasonInvalid, "request %s asks to be remembered for %d s; at most %d s are allowed", c.RequestID, (c.NotAfter-now)/1e9, maxRequestAge/1e9)
	case t.len() >= maxRequests:
		if _, known := t.find(c.Actor, c.RequestID); known {
			return nil
		}
		return candor.Errorf(candor.ReasonQueueSaturated, "%d requests are remembered, the most that may be: try again when some expire", maxRequests)
	default:
		return nil
	}
}

func (t *requestTable) len() int { return len(t.index) + len(t.clashes) }

func hashRequest(actor, id string) uint64 { return xxh3.HashStringSeed(id, xxh3.HashString(actor)) }

// find is the record of a request.
func (t *requestTable) find(actor, id string) (*requestRecord, bool) {
	p, ok := t.index[hashRequest(actor, id)]
	if !ok {
		return nil, false
	}
	if r := t.at(p); t.is(r, actor, id) {
		return r, true
	}
	if p, ok = t.clashes[requestKey{actor, id}]; !ok {
		return nil, false
	}
	return t.at(p), true
}

func (t *requestTable) at(p place) *requestRecord {
	b, _ := t.buckets.Get(p.bucket)
	return b.record(p.at)
}

func (t *requestTable) is(r *requestRecord, actor, id string) bool {
	return string(r.id[:r.idBytes]) == id && t.actors.name(r.actor) == actor
}

func (t *requestTable) remember(c *command.Command, token candor.Token, changed, succeeded bool) {
	t.put(&Remembered{
		Actor: c.Actor, RequestID: c.RequestID, Digest: c.Digest, NotAfter: c.NotAfter,
		Token: token, Changed: changed, Succeeded: succeeded,
	})
}

// put keeps a copy of the record, whose request is not in the table.
func (t *requestTable) put(x *Remembered) {
	r := requestRecord{
		digest: x.Digest, notAfter: x.NotAfter, term: x.Token.Term, index: x.Token.Index, revision: x.Token.Revision,
		changed: x.Changed, succeeded: x.Succeeded, idBytes: uint8(len(x.RequestID)),
	}
	copy(r.id[:], x.RequestID)
	p := place{bucket: x.NotAfter / bucketWidth}
	t.mu.Lock()
	defer t.mu.Unlock()
	r.actor = t.actors.hold(x.Actor)
	b, ok := t.buckets.Get(p.bucket)
	if !ok {
		b = new(requestBucket)
		t.buckets.Set(p.bucket, b)
	}
	p.at = b.add(&r)
	hash := hashRequest(x.Actor, x.RequestID)
	if _, taken := t.index[hash]; taken {
		t.clashes[requestKey{clone(x.Actor), clone(x.RequestID)}] = p
	} else {
		t.index[hash] = p
	}
	t.sum.add(x.hash())
}

// expire forgets whole buckets whose time has passed, oldest first, until
// about limit records are gone.
func (t *requestTable) expire(now int64, limit int) {
	if zoo.Enabled && zoo.Has(zoo.ForgetEarly) {
		now += 2 * bucketWidth
	}
	for limit > 0 {
		second, b, ok := t.buckets.Min()
		if !ok || (second+1)*bucketWidth > now {
			return
		}
		t.mu.Lock()
		for ; limit > 0 && b.from < b.to; limit-- {
			t.forget(place{bucket: second, at: b.from}, b.record(b.from))
			b.from++
		}
		if b.from == b.to {
			t.buckets.PopMin()
		}
		t.mu.Unlock()
	}
}

func (t *requestTable) forget(p place, r *requestRecord) {
	x := r.remembered(t.actors.name(r.actor))
	t.sum.remove(x.hash())
	t.actors.release(r.actor)
	if hash := hashRequest(x.Actor, x.RequestID); t.index[hash] == p {
		delete(t.index, hash)
		return
	}
	delete(t.clashes, requestKey{x.Actor, x.RequestID})
}

// heldRequests are the records of one moment.
type heldRequests struct {
	actors  []string
	buckets []requestBucket
}

// capture keeps what is in the table now, while the table goes on.
func (t *requestTable) capture() heldRequests {
	h := heldRequests{actors: slices.Clone(t.actors.names)}
	t.buckets.Scan(func(_ int64, b *requestBucket) bool {
		h.buckets = append(h.buckets, requestBucket{chunks: slices.Clone(b.chunks), from: b.from, to: b.to})
		return true
	})
	return h
}

// each visits the records in order of expiry, then of arrival.
func (h *heldRequests) each(visit func(*Remembered) error) error {
	for i := range h.buckets {
		b := &h.buckets[i]
		for at := b.from; at < b.to; at++ {
			r := b.record(at)
			x := r.remembered(h.actors[r.actor])
			if err := visit(&x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *requestRecord) token() candor.Token {
	return candor.Token{Term: r.term, Index: r.index, Revision: r.revision}
}

func (r *requestRecord) remembered(actor string) Remembered {
	return Remembered{
		Actor: actor, RequestID: string(r.id[:r.idBytes]), Digest: r.digest, NotAfter: r.notAfter,
		Token: r.token(), Changed: r.changed, Succeeded: r.succeeded,
	}
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
	r, ok := t.find(actor, requestID)
	if !ok {
		return Remembered{}, false
	}
	return r.remembered(actor), true
}

// replay answers a repeated request with what its turn did.
func (m *Machine) replay(r *requestRecord) Result {
	res := Result{Token: r.token(), Revision: r.revision, Changed: r.changed, Succeeded: r.succeeded, Replayed: true}
	s := m.state
	if zoo.Enabled && zoo.Has(zoo.ReplayNow) {
		res.Token = s.token
	}
	if r.changed && r.revision > s.cursor {
		for v := s.history.At(r.revision); v != nil; v = v.Sibling() {
			res.Ops = append(res.Ops, OpResult{Version: v, Changed: true})
		}
	}
	return res
}
