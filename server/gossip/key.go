package gossip

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

const (
	keyBytes         = 32 // what NewKey makes: AES-256
	fingerprintBytes = 8
	// maxKeyFile bounds what is read of a file with keys.
	maxKeyFile = 64 << 10
)

// Key is one gossip key: 16, 24 or 32 bytes for AES-128, -192 or -256. However
// it is printed, only its fingerprint shows; Reveal is the one way out. The
// zero Key is none.
type Key struct {
	// A pointer to a string, because package fmt prints what unexported fields hold
	// without asking their methods: of this it shows the address, whatever the verb,
	// where a slice, or a pointer to one, would be shown.
	material *string
}

func keyOf(material []byte) Key {
	text := string(material)
	return Key{&text}
}

// NewKey draws a key of 32 bytes.
func NewKey() Key {
	material := make([]byte, keyBytes)
	_, _ = rand.Read(material) // never fails: the process ends instead
	return keyOf(material)
}

// ParseKey reads a key in standard base64 with padding; space around it does not
// matter. It fails with INVALID, and never repeats what it was given.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	material, err := base64.StdEncoding.DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(material) != text {
		return Key{}, refuse("gossip key of %d characters: want standard base64 with padding", len(text))
	}
	switch len(material) {
	case 16, 24, 32:
		return keyOf(material), nil
	default:
		return Key{}, refuse("gossip key has %d bytes, want 16, 24 or 32", len(material))
	}
}

// ParseKeys reads the content of a key file: one key a line, the primary first.
// Empty lines and those that begin with # do not count. It fails with INVALID
// when a line is no key, or there is none.
func ParseKeys(content []byte) ([]Key, error) {
	if len(content) > maxKeyFile {
		return nil, refuse("gossip key file has %d bytes, want at most %d", len(content), maxKeyFile)
	}
	var keys []Key
	number := 0
	for line := range bytes.Lines(content) {
		number++
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		key, err := ParseKey(text)
		if err != nil {
			return nil, refuse("gossip key file, line %d: %s", number, said(err))
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, refuse("gossip key file holds no key, want one in base64 on a line of its own")
	}
	return keys, nil
}

// Fingerprint names the key to people and in logs: the first eight bytes of its
// SHA-256 in hex. Empty for the zero Key.
func (k Key) Fingerprint() string {
	if k.material == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(*k.material))
	return hex.EncodeToString(sum[:fingerprintBytes])
}

// Reveal returns the key as ParseKey reads it. It is a secret: for key files and
// for the call that hands it to a server.
func (k Key) Reveal() string { return base64.StdEncoding.EncodeToString(k.bytes()) }

// Equal reports whether both are the same key.
func (k Key) Equal(other Key) bool { return subtle.ConstantTimeCompare(k.bytes(), other.bytes()) == 1 }

// String names the key by its fingerprint.
func (k Key) String() string { return "gossip key " + k.Fingerprint() }

// Format prints the same for every verb, %x and %#v too.
func (k Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, k.String()) }

// bytes returns a copy.
func (k Key) bytes() []byte {
	if k.material == nil {
		return nil
	}
	return []byte(*k.material)
}

// checkFingerprint keeps a key that was passed by mistake out of messages.
func checkFingerprint(text string) error {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != fingerprintBytes || hex.EncodeToString(raw) != text {
		return refuse("gossip key fingerprint of %d characters: want %d lowercase hex digits", len(text), 2*fingerprintBytes)
	}
	return nil
}
