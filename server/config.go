package server

import (
	"context"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/server/replica"
)

// Config of one server. The zero value of an optional field means its default.
type Config struct {
	// Name is for people and unique in the cluster, such as n1.
	Name string
	// Data is the data directory; empty keeps everything in memory, for tests.
	Data string
	// LogStore is "wal" (default) or "boltdb"; a directory remembers its kind.
	LogStore string

	// Listen addresses, host:port; port 0 lets the system choose.
	API, Raft, Gossip, Debug string

	// InitialCluster bootstraps a cluster of these servers, the same list on
	// each, and ClusterToken tells clusters of equal lists apart.
	InitialCluster []InitialMember
	ClusterToken   string
	// Bootstrap makes a cluster of this server alone, which others join.
	Bootstrap bool
	// Join is the API addresses of servers of the cluster to join.
	Join []string
	// JoinTokenFile holds a token that lets this server join, for clusters whose
	// servers have no certificates. It is read while the server is no member yet.
	JoinTokenFile string

	// GossipKeyFile holds the keys that gossip is encrypted with at first, base64,
	// one to a line, the one in use first. Once the data directory has its own ring
	// of keys, that counts.
	GossipKeyFile string
	// GossipEncryption is required (when empty), or on the way from and to gossip in
	// the clear, by restarts of one server after another, offered or accepted.
	GossipEncryption string
	// GossipSeeds are gossip addresses of other servers.
	GossipSeeds []string

	// TLS are this server's certificates, which name its cluster and its ID; empty
	// for none. They are looked at again every TLSPoll (0: ten seconds).
	TLS     identity.Files
	TLSPoll time.Duration
	// Auth refuses requests until access control has been opened.
	Auth  bool
	Audit Audit
	// Limits bound what one party may have of this node, by their names (see
	// limit.Assign); those that are not named have their defaults.
	Limits map[string]string
	// Insecure allows addresses beyond loopback without TLS and access control.
	Insecure bool
	// Duties are those that this server may hold, by name; nil is all of them.
	Duties []string
	// Tenures are coordinator.Defaults when zero.
	Tenures coordinator.Settings
	// RetainRevisions is how many revisions stay readable.
	RetainRevisions uint64
	Settings        Settings
	// Freshness is DefaultFreshness when its Beacon is 0.
	Freshness Freshness
	Logger    hclog.Logger
	Version   string
	// Tracing is where the spans of requests go; its zero value traces nothing.
	Tracing Tracing

	Seams Seams
}

// Settings are the tuning of the replica.
type Settings = replica.Settings

// DefaultSettings are the measured ones.
func DefaultSettings() Settings { return replica.Default() }

// Seams replace the parts that touch the machine; nil keeps the real ones.
type Seams struct {
	Clock     replica.Clock
	Transport func(serverID string) (raft.Transport, raft.ServerAddress, error)
	// Listen and Dial carry gRPC and what servers ask one another.
	Listen func(address string) (net.Listener, error)
	Dial   func(ctx context.Context, address string) (net.Conn, error)
	// WrapLogStore puts faults before the log store.
	WrapLogStore func(raft.LogStore) raft.LogStore
	// WrapPeers puts faults before what the replica asks of other servers: proofs,
	// confirmations and forwarded writes.
	WrapPeers func(replica.Peers) replica.Peers
	// NoGossip leaves discovery out.
	NoGossip bool
	// OnFatal is told of an error that the server cannot live with.
	OnFatal func(error)
}

// InitialMember is one server of a cluster that starts together. Its server ID
// is born with its data directory; the first server by name asks the others
// for theirs.
type InitialMember struct {
	Name        string
	RaftAddress string
	APIAddress  string
}

const (
	defaultRetain  = 250_000
	shutdownBudget = 10 * time.Second
	// sealBudget is how long a stop waits for its tenures to be sealed.
	sealBudget = time.Second
)

func (c *Config) check() error {
	if c.Name == "" {
		return candor.Errorf(candor.ReasonUsage, "server: a name is required (--name)")
	}
	if err := candor.CheckName("name", c.Name); err != nil {
		return err
	}
	if err := c.Freshness.check(); err != nil {
		return err
	}
	if files := c.TLS; (files.CA == "") != (files.Cert == "") || (files.Cert == "") != (files.Key == "") {
		return candor.Errorf(candor.ReasonUsage, "server: --tls-ca, --tls-cert and --tls-key go together")
	}
	ways := 0
	for _, chosen := range []bool{len(c.InitialCluster) > 0, c.Bootstrap, len(c.Join) > 0} {
		if chosen {
			ways++
		}
	}
	if ways > 1 {
		return candor.Errorf(candor.ReasonUsage, "server: --initial-cluster, --bootstrap and --join exclude each other")
	}
	if err := c.checkJoinToken(); err != nil {
		return err
	}
	for _, l := range []struct{ flag, address string }{{"--api", c.API}, {"--raft", c.Raft}, {"--gossip", c.Gossip}, {"--debug", c.Debug}} {
		if err := c.checkAddress(l.flag, l.address); err != nil {
			return err
		}
	}
	return nil
}

// checkAddress keeps plaintext on loopback unless the operator insists.
func (c *Config) checkAddress(flag, address string) error {
	if address == "" || c.Seams.Listen != nil {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return candor.Errorf(candor.ReasonUsage, "server: %s %q: want HOST:PORT: %v", flag, address, err)
	}
	ip := net.ParseIP(host)
	if host == "localhost" || (ip != nil && ip.IsLoopback()) || c.Insecure || c.TLS.CA != "" && c.Auth {
		return nil
	}
	return candor.Errorf(candor.ReasonUsage, "server: %s %s is not a loopback address, and without certificates (--tls-ca, --tls-cert, --tls-key) and --auth anyone who reaches it may read and write everything; give them, or pass --insecure to accept that", flag, address)
}
