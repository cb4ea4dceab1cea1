package gossip

import (
	"encoding/hex"
)

// MaxMetaBytes is the most metadata that one node may announce: the bound is
// memberlist's, and a constant here so that it cannot grow by an upgrade.
const MaxMetaBytes = 512

const (
	maxIDBytes      = 64
	maxNameBytes    = 63
	maxAddrBytes    = 128
	maxVersionBytes = 48
	maxModeBytes    = 24
)

// Identity is what stays the same about a server for one boot.
type Identity struct {
	ClusterID string // at most 64 bytes
	ServerID  string // the Raft server ID: a lowercase UUID, born with the data directory
	BootID    string // at most 64 bytes; another value after each start
	Name      string // for people, such as n1
	APIAddr   string
	RaftAddr  string
	DebugAddr string
	// FeatureLevel is the highest level this binary supports. A hint: raising
	// the cluster's level needs each member's word through the root.
	FeatureLevel uint32
	Version      string
}

// Hints is what changes about a server while it runs. A reader must assume that
// each of them was true once, and nothing more.
type Hints struct {
	LeaderID string // whom the server takes for the leader; empty when it knows none
	Term     uint64
	Applied  uint64 // the log index that its view has reached
	Voter    bool
	Mode     string // a protocol word such as HEALTHY or VIEW_ONLY
}

// Meta is everything that one server announces about itself.
type Meta struct {
	Identity
	Hints
	// Leaving says that the server is stopping on purpose: when it is gone, it
	// is LEFT and not DEAD.
	Leaving bool
}

func (i Identity) validate() error {
	if _, ok := parseUUID(i.ServerID); !ok {
		return refuse("server ID %q: want a lowercase UUID", i.ServerID)
	}
	texts := []struct {
		field    string
		value    string
		max      int
		required bool
	}{
		{"cluster ID", i.ClusterID, maxIDBytes, true},
		{"boot ID", i.BootID, maxIDBytes, true},
		{"name", i.Name, maxNameBytes, true},
		{"API address", i.APIAddr, maxAddrBytes, false},
		{"raft address", i.RaftAddr, maxAddrBytes, false},
		{"debug address", i.DebugAddr, maxAddrBytes, false},
		{"version", i.Version, maxVersionBytes, false},
	}
	for _, t := range texts {
		if t.required && t.value == "" {
			return refuse("%s is empty", t.field)
		}
		if err := checkText(t.field, t.value, t.max); err != nil {
			return err
		}
	}
	return nil
}

func (h Hints) validate() error {
	if h.LeaderID != "" {
		if _, ok := parseUUID(h.LeaderID); !ok {
			return refuse("leader ID %q: want a lowercase UUID or nothing", h.LeaderID)
		}
	}
	return checkText("mode", h.Mode, maxModeBytes)
}

// urgent reports whether a change from sent to h must not wait: people and
// clients look for a leader first of all.
func (h Hints) urgent(sent Hints) bool {
	return h.LeaderID != sent.LeaderID || h.Term != sent.Term
}

// checkText keeps what ends in terminals and logs to printable ASCII.
func checkText(field, value string, limit int) error {
	if len(value) > limit {
		return refuse("%s has %d bytes, want at most %d", field, len(value), limit)
	}
	for i := range len(value) {
		if value[i] <= ' ' || value[i] > '~' {
			return refuse("%s %q: want printable ASCII without spaces", field, value)
		}
	}
	return nil
}

// parseUUID accepts only the canonical lowercase form, so that an ID has one
// spelling and two servers cannot differ by it alone.
func parseUUID(s string) ([16]byte, bool) {
	var id [16]byte
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	for i := range len(digits) {
		if digits[i] >= 'A' && digits[i] <= 'F' {
			return id, false
		}
	}
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return id, false
	}
	return id, true
}

func formatUUID(id []byte) string {
	digits := hex.EncodeToString(id)
	return digits[0:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}
