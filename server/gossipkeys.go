package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/gossip"
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
