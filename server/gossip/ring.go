package gossip

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	candor "github.com/candor-plane/candor"
)

const ringFormat = "candor-gossip-keyring/1"

// MaxKeys is how many keys a ring holds: each packet of a stranger is tried
// against all of them.
const MaxKeys = 8

// ring is the durable state of a Keyring: which keys there are, in the order in
// which they came, and which one is primary. A ring is never changed; with,
// using and without return another one.
type ring struct {
	primary string // fingerprint of one of held
	held    []heldKey
}

type heldKey struct {
	key     Key
	addedAt time.Time
}

func (r ring) find(fingerprint string) (Key, bool) {
	for _, h := range r.held {
		if h.key.Fingerprint() == fingerprint {
			return h.key, true
		}
	}
	return Key{}, false
}

func (r ring) with(key Key, at time.Time) ring {
	if len(r.held) == 0 {
		r.primary = key.Fingerprint()
	}
	r.held = append(slices.Clone(r.held), heldKey{key: key, addedAt: at.UTC().Truncate(time.Second)})
	return r
}

func (r ring) using(fingerprint string) ring {
	r.primary = fingerprint
	return r
}

func (r ring) without(fingerprint string) ring {
	r.held = slices.DeleteFunc(slices.Clone(r.held), func(h heldKey) bool { return h.key.Fingerprint() == fingerprint })
	return r
}

type ringFile struct {
	Format  string        `json:"format"`
	Primary string        `json:"primary"`
	Keys    []ringFileKey `json:"keys"`
}

// The fingerprint stands beside its key so that a key with flipped bits, still
// good base64, is found out.
type ringFileKey struct {
	Fingerprint string    `json:"fingerprint"`
	Key         string    `json:"key"`
	AddedAt     time.Time `json:"addedAt"`
}

func (r ring) encode() ([]byte, error) {
	file := ringFile{Format: ringFormat, Primary: r.primary}
	for _, h := range r.held {
		file.Keys = append(file.Keys, ringFileKey{Fingerprint: h.key.Fingerprint(), Key: h.key.Reveal(), AddedAt: h.addedAt})
	}
	text, err := json.MarshalIndent(file, "", "  ")
	return append(text, '\n'), candor.Wrap("encode gossip key ring", err)
}

// parseRing reads what encode wrote. Its errors are in words of its own: those
// of package json repeat parts of the input, which may be a key.
func parseRing(content []byte) (ring, error) {
	if len(content) > maxKeyFile {
		return ring{}, refuse("it has more than %d bytes", maxKeyFile)
	}
	var file ringFile
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return ring{}, refuse("it is not the JSON of a key ring, as seen near byte %d of %d", decoder.InputOffset(), len(content))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return ring{}, refuse("something follows the key ring at byte %d", decoder.InputOffset())
	}
	if file.Format != ringFormat {
		return ring{}, refuse("its format is not %s", ringFormat)
	}
	if len(file.Keys) == 0 || len(file.Keys) > MaxKeys {
		return ring{}, refuse("it holds %d keys, want 1 to %d", len(file.Keys), MaxKeys)
	}
	var r ring
	for i, k := range file.Keys {
		key, err := ParseKey(k.Key)
		if err != nil {
			return ring{}, refuse("key %d: %s", i+1, said(err))
		}
		if key.Fingerprint() != k.Fingerprint {
			return ring{}, refuse("key %d does not match the fingerprint beside it", i+1)
		}
		if _, twice := r.find(k.Fingerprint); twice {
			return ring{}, refuse("key %d is there twice", i+1)
		}
		r = r.with(key, k.AddedAt)
	}
	if _, ok := r.find(file.Primary); !ok {
		return ring{}, refuse("its primary is none of its %d keys", len(r.held))
	}
	return r.using(file.Primary), nil
}
