package gossip

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	candor "github.com/candor-plane/candor"
)

// Keyring holds the keys of one server's gossip: it encrypts with the primary
// and understands all of them. It is kept in a file and may be changed while
// gossip runs. Its methods may be called concurrently; one process at a time may
// have the file.
//
// A change is durable before it takes effect, so that what a caller was told
// survives a crash, and so does what peers already rely on. A rotation is Add on
// every server, then Use on every server, then Remove on every server: at each
// moment, crashes included, every primary is on every ring (see DESIGN.md).
type Keyring struct {
	path    string
	replace func(path string, content []byte) error
	ignored []string
	library *memberlist.Keyring

	mu   sync.Mutex
	ring ring
	// unsure says that a write failed, so that the file may hold either state.
	unsure bool
}

// KeyInfo is what people may see of a key.
type KeyInfo struct {
	Fingerprint string
	Primary     bool
	AddedAt     time.Time
}

// OpenKeyring reads the key ring at path. If there is no such file, it begins
// one with the seed, whose first key is the primary; once the file exists, the
// seed has no say (see Ignored).
//
// It fails with DATA_CORRUPT for a damaged file, which it leaves as it is, with
// INVALID for one that others may read and for a seed without use, and with
// UNAVAILABLE when the file cannot be read or written.
func OpenKeyring(path string, seed []Key) (*Keyring, error) {
	k := &Keyring{path: path, replace: replaceRingFile}
	r, err := readRingFile(path)
	if err == nil {
		for _, key := range seed {
			if _, ok := r.find(key.Fingerprint()); !ok {
				k.ignored = append(k.ignored, key.Fingerprint())
			}
		}
		return k, k.begin(r)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if r, err = seedRing(path, seed); err != nil {
		return nil, err
	}
	if err := k.write(r); err != nil {
		return nil, err
	}
	return k, k.begin(r)
}

// Keys lists the keys, the primary first, the others in the order they came.
func (k *Keyring) Keys() []KeyInfo {
	k.mu.Lock()
	defer k.mu.Unlock()
	infos := make([]KeyInfo, 0, len(k.ring.held))
	for _, h := range k.ring.held {
		fingerprint := h.key.Fingerprint()
		infos = append(infos, KeyInfo{Fingerprint: fingerprint, Primary: fingerprint == k.ring.primary, AddedAt: h.addedAt})
	}
	slices.SortStableFunc(infos, func(a, b KeyInfo) int {
		switch {
		case a.Primary == b.Primary:
			return 0
		case a.Primary:
			return -1
		default:
			return 1
		}
	})
	return infos
}

// Ignored returns the fingerprints of seed keys that are not on the ring,
// because its file came first. Someone may believe that they count.
func (k *Keyring) Ignored() []string { return slices.Clone(k.ignored) }

// Add makes the server understand a key; it does not send with it. It reports
// whether the key is new. A full ring fails with QUOTA_EXCEEDED, and nothing
// happened; UNAVAILABLE means that it was not made durable: call it again.
func (k *Keyring) Add(key Key) (added bool, err error) {
	fingerprint := key.Fingerprint()
	if fingerprint == "" {
		return false, refuse("gossip key is empty, want 16, 24 or 32 bytes")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if held, ok := k.ring.find(fingerprint); ok {
		if !held.Equal(key) {
			return false, refuse("another gossip key has the fingerprint %s; draw a new one", fingerprint)
		}
		return false, k.settle()
	}
	if len(k.ring.held) == MaxKeys {
		return false, candor.Errorf(candor.ReasonQuotaExceeded,
			"gossip key ring is full with %d keys; remove one that no server sends with", MaxKeys)
	}
	next := k.ring.with(key, time.Now())
	if err := k.write(next); err != nil {
		return false, err
	}
	k.ring = next
	return true, candor.Wrap("add gossip key", k.library.AddKey(key.bytes()))
}

// Use makes a key of the ring the primary, which everything is sent with from
// now on; every server should hold it by then. It reports whether it was not yet
// the primary. A key that is not on the ring fails with NOT_FOUND; UNAVAILABLE
// means that the change was not made durable: call it again.
func (k *Keyring) Use(fingerprint string) (changed bool, err error) {
	if err := checkFingerprint(fingerprint); err != nil {
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.ring.find(fingerprint)
	if !ok {
		return false, candor.Errorf(candor.ReasonNotFound, "gossip key %s is not on this ring; add it on every server first", fingerprint)
	}
	if k.ring.primary == fingerprint {
		return false, k.settle()
	}
	next := k.ring.using(fingerprint)
	if err := k.write(next); err != nil {
		return false, err
	}
	k.ring = next
	return true, candor.Wrap("use gossip key", k.library.UseKey(key.bytes()))
}

// Remove makes the server forget a key and reports whether it had it: an absent
// one is no error. The primary, and so the last key, fails with CONFLICT;
// UNAVAILABLE means that the change was not made durable: call it again.
func (k *Keyring) Remove(fingerprint string) (removed bool, err error) {
	if err := checkFingerprint(fingerprint); err != nil {
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.ring.find(fingerprint)
	if !ok {
		return false, k.settle()
	}
	if len(k.ring.held) == 1 {
		return false, candor.Errorf(candor.ReasonConflict,
			"gossip key %s is the last on this ring, and without one gossip would be plaintext; add and use another first", fingerprint)
	}
	if k.ring.primary == fingerprint {
		return false, candor.Errorf(candor.ReasonConflict,
			"gossip key %s is the primary, which this server sends with; use another on every server first", fingerprint)
	}
	next := k.ring.without(fingerprint)
	if err := k.write(next); err != nil {
		return false, err
	}
	k.ring = next
	return true, candor.Wrap("remove gossip key", k.drop(key.bytes()))
}

// Format prints where the ring is kept and nothing that is on it.
func (k *Keyring) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "gossip key ring %s", k.path) }

func (k *Keyring) primary() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ring.primary
}

func seedRing(path string, seed []Key) (ring, error) {
	var r ring
	for i, key := range seed {
		if key.Fingerprint() == "" {
			return ring{}, refuse("seed key %d for gossip is empty, want 16, 24 or 32 bytes", i+1)
		}
		if _, twice := r.find(key.Fingerprint()); !twice {
			r = r.with(key, time.Now())
		}
	}
	if len(r.held) == 0 || len(r.held) > MaxKeys {
		return ring{}, refuse("gossip key ring %s does not exist yet and the seed has %d keys, want 1 to %d", path, len(r.held), MaxKeys)
	}
	return r, nil
}

// begin takes the durable state over into a ring of the library's.
func (k *Keyring) begin(r ring) error {
	k.ring = r
	first, _ := r.find(r.primary)
	var all [][]byte
	for _, h := range r.held {
		all = append(all, h.key.bytes())
	}
	var err error
	k.library, err = memberlist.NewKeyring(all, first.bytes())
	return candor.Wrap("begin gossip key ring", err)
}

// settle makes the file hold what is in effect, when a failed write left that open.
func (k *Keyring) settle() error {
	if !k.unsure {
		return nil
	}
	return k.write(k.ring)
}

func (k *Keyring) write(r ring) error {
	content, err := r.encode()
	if err != nil {
		return err
	}
	if err := k.replace(k.path, content); err != nil {
		k.unsure = true
		return candor.Errorf(candor.ReasonUnavailable,
			"gossip key ring %s was not made durable, and what is in effect stays; try again: %w", k.path, err)
	}
	k.unsure = false
	return nil
}
