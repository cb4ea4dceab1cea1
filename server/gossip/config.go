package gossip

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/memberlist"
)

// DefaultQueueSize is how many notes of conflicts and refusals may wait.
const DefaultQueueSize = 256

// maxMembers is how many servers are let in, those that ended included.
const maxMembers = 256

// Config is what Start needs. Identity, BindAddr (or Transport) and Logger are
// required.
type Config struct {
	Identity Identity
	Hints    Hints // announced until the first Update

	// BindAddr is an IP address; BindPort 0 lets the system choose. Without
	// AdvertiseAddr the bound address is announced, so one that names every
	// interface needs AdvertiseAddr. AdvertisePort 0 means the bound port.
	BindAddr      string
	BindPort      int
	AdvertiseAddr string
	AdvertisePort int
	// Insecure permits gossip that takes plaintext beyond loopback. Whoever
	// reaches such a port can forge hints and stop the process.
	Insecure bool
	// Keyring encrypts and authenticates every packet and stream; without one all
	// is plaintext. It stays the caller's, who may change it at any time.
	Keyring *Keyring
	// Encryption is EncryptionRequired unless a cluster is on its way from plaintext.
	Encryption Encryption

	// Seeds are host:port of some servers of the cluster; this server's own
	// address among them does no harm. Names are looked up on each attempt.
	Seeds []string
	// ExpectedPeers is how many other servers should be alive; with fewer, seeds
	// and lost peers are tried again. 0 means the number of other seeds.
	ExpectedPeers int

	// Transport replaces UDP and TCP. Start takes ownership: it is shut down
	// by Close, and by Start itself when it fails. Shutdown must be idempotent.
	Transport memberlist.Transport

	Logger hclog.Logger
	// Profile is the tuning; the zero value means DefaultProfile.
	Profile Profile
	// QueueSize bounds the waiting notes of conflicts and refused peers; 0 means
	// DefaultQueueSize. Notes of members are bounded by their number.
	QueueSize int
}

// withDefaults returns the completed configuration, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if c.Profile == (Profile{}) {
		c.Profile = DefaultProfile()
	}
	if c.QueueSize == 0 {
		c.QueueSize = DefaultQueueSize
	}
	if c.Logger == nil {
		return c, refuse("gossip needs a logger")
	}
	if c.QueueSize < 0 || c.ExpectedPeers < 0 {
		return c, refuse("queue size %d, expected peers %d: want 0 or more", c.QueueSize, c.ExpectedPeers)
	}
	if err := c.Profile.validate(); err != nil {
		return c, err
	}
	if err := c.checkEncryption(); err != nil {
		return c, err
	}
	if _, err := encodeMeta(Meta{Identity: c.Identity, Hints: c.Hints}); err != nil {
		return c, err
	}
	if err := checkRoom(c.Identity); err != nil {
		return c, err
	}
	for _, seed := range c.Seeds {
		if err := checkSeed(seed); err != nil {
			return c, err
		}
	}
	return c, c.checkAddresses()
}

func (c Config) checkAddresses() error {
	if c.BindPort < 0 || c.BindPort > 65535 || c.AdvertisePort < 0 || c.AdvertisePort > 65535 {
		return refuse("bind port %d, advertise port %d: want 0 to 65535", c.BindPort, c.AdvertisePort)
	}
	if c.Transport != nil {
		return nil
	}
	bind, err := netip.ParseAddr(c.BindAddr)
	if err != nil {
		return refuse("bind address %q: want an IP address", c.BindAddr)
	}
	if c.AdvertiseAddr == "" && bind.IsUnspecified() {
		return refuse("bind address %s names every interface: set the advertise address that peers shall use", bind)
	}
	if c.AdvertiseAddr != "" {
		if _, err := netip.ParseAddr(c.AdvertiseAddr); err != nil {
			return refuse("advertise address %q: want an IP address", c.AdvertiseAddr)
		}
	}
	if !bind.IsLoopback() && !c.protected() && !c.Insecure {
		return refuse("bind address %s is beyond loopback and gossip takes plaintext: "+
			"set a keyring and require encryption, or permit plaintext as insecure", bind)
	}
	return nil
}

func checkSeed(seed string) error {
	host, port, err := net.SplitHostPort(seed)
	if err != nil || host == "" {
		return refuse("seed %q: want host:port", seed)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return refuse("seed %q: port %q, want 1 to 65535", seed, port)
	}
	return nil
}

// library translates to memberlist's own configuration.
func (c Config) library(d *delegate, lines *libraryLog) *memberlist.Config {
	l := memberlist.DefaultLANConfig()
	l.Name = c.Identity.ServerID
	l.BindAddr, l.BindPort = c.BindAddr, c.BindPort
	l.AdvertiseAddr, l.AdvertisePort = c.AdvertiseAddr, c.AdvertisePort
	if l.AdvertisePort == 0 {
		l.AdvertisePort = c.BindPort
	}
	l.Transport = c.Transport
	if c.Keyring != nil {
		l.Keyring = c.Keyring.library
	}
	l.GossipVerifyIncoming = c.Encryption == EncryptionRequired
	l.GossipVerifyOutgoing = c.Encryption != EncryptionAccepted
	l.LogOutput = lines
	l.Delegate, l.Events, l.Conflict, l.Merge, l.Ping, l.Alive = d, d, d, d, d, d

	p := c.Profile
	l.ProbeInterval, l.ProbeTimeout, l.SuspicionMult = p.ProbeInterval, p.ProbeTimeout, p.SuspicionMult
	l.GossipInterval, l.PushPullInterval, l.TCPTimeout = p.GossipInterval, p.PushPullInterval, p.StreamTimeout
	l.DeadNodeReclaimTime, l.GossipToTheDeadTime = p.ReclaimAfter, p.GossipToTheDead
	// Metadata is dense already; compressing each packet would only cost CPU.
	l.EnableCompression = false
	return l
}
