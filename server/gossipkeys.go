package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/gossip"
	"github.com/candor-plane/candor/server/grpcapi"
)

// keyringFile is in the data directory.
const keyringFile = "gossip-keyring.json"

// gossipKeys are the keys that gossip is encrypted with; nil for none.
func (s *Server) gossipKeys() (*gossip.Keyring, error) {
	if s.config.Data == "" {
		return nil, nil //nolint:nilnil // a server in memory gossips in the clear
	}
	path := filepath.Join(s.config.Data, keyringFile)
	var seed []gossip.Key
	if s.config.GossipKeyFile != "" {
		text, err := os.ReadFile(s.config.GossipKeyFile)
		if err == nil {
			seed, err = gossip.ParseKeys(text)
		}
		if err != nil {
			return nil, candor.Errorf(candor.ReasonUsage, "--gossip-key-file: %w", err)
		}
	} else if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nobody gave it keys
	}
	ring, err := gossip.OpenKeyring(path, seed)
	if err != nil {
		return nil, err
	}
	if ignored := ring.Ignored(); len(ignored) > 0 {
		s.logger.Warn("the key ring in the data directory counts; keys of --gossip-key-file that it lacks are left out", "keys", ignored)
	}
	return ring, nil
}

// gossipEncryption is what this server demands of those it gossips with.
func (s *Server) gossipEncryption() (gossip.Encryption, error) {
	for _, e := range []gossip.Encryption{gossip.EncryptionRequired, gossip.EncryptionOffered, gossip.EncryptionAccepted} {
		if e.String() == s.config.GossipEncryption {
			return e, nil
		}
	}
	if s.config.GossipEncryption == "" {
		return gossip.EncryptionRequired, nil
	}
	return 0, candor.Errorf(candor.ReasonUsage, "--gossip-encryption %q: want required, offered or accepted", s.config.GossipEncryption)
}

// gossipRing has the API change the keys.
type gossipRing struct{ s *Server }

func (r gossipRing) ring() (*gossip.Keyring, error) {
	switch {
	case r.s.keyring != nil:
		return r.s.keyring, nil
	case r.s.gossip == nil:
		return nil, candor.Errorf(candor.ReasonUnavailable, "server %s does not gossip, so it has no keys for it: --gossip says where it would", r.s.config.Name)
	default:
		return nil, candor.Errorf(candor.ReasonUnavailable, "server %s gossips in the clear and has no ring of keys: write one key into a file, restart every server with "+
			"--gossip-key-file FILE --gossip-encryption accepted, one at a time, then with offered, then without the second flag; from then on keys rotate without a restart", r.s.config.Name)
	}
}

// Keys are those of the ring.
func (r gossipRing) Keys() ([]grpcapi.GossipKey, error) {
	ring, err := r.ring()
	if err != nil {
		return nil, err
	}
	var out []grpcapi.GossipKey
	for _, k := range ring.Keys() {
		out = append(out, grpcapi.GossipKey{Fingerprint: k.Fingerprint, Primary: k.Primary})
	}
	return out, nil
}

// Add has the ring understand a key.
func (r gossipRing) Add(text string) (fingerprint string, added bool, err error) {
	key, err := gossip.ParseKey(text)
	if err != nil {
		return "", false, err
	}
	ring, err := r.ring()
	if err != nil {
		return "", false, err
	}
	added, err = ring.Add(key)
	return key.Fingerprint(), added, err
}

// Use has the ring send with a key.
func (r gossipRing) Use(fingerprint string) (bool, error) {
	ring, err := r.ring()
	if err != nil {
		return false, err
	}
	return ring.Use(fingerprint)
}

// Remove has the ring forget a key.
func (r gossipRing) Remove(fingerprint string) (bool, error) {
	ring, err := r.ring()
	if err != nil {
		return false, err
	}
	return ring.Remove(fingerprint)
}
