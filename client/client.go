package client

import (
	"context"
	"errors"
	"net"
	"os/user"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/rpc/tracing"
)

// The defaults of Config.
const (
	DefaultTimeout        = 10 * time.Second
	DefaultAttemptTimeout = 3 * time.Second
)

// actorKey is the metadata key that names who is calling.
const actorKey = "candor-actor"

// Config says how to reach a cluster. Only Endpoints is required.
type Config struct {
	// Endpoints are "host:port" of servers' API listeners; at least one. Other
	// members are learnt from the cluster.
	Endpoints []string
	// Actor is who calls; without a token, empty means the name of the operating system's user,
	// or "anonymous".
	Actor string
	// Token authenticates the calls. The servers then know who calls: an Actor that
	// is given besides must be its name.
	Token string
	// TLS has servers prove who they are, and this client where its files hold a
	// certificate; the caller closes it after the client. Nil: plain TCP.
	TLS *identity.Source
	// Insecure lets the token travel in the clear beyond loopback.
	Insecure bool
	// Dialer opens connections; nil means TCP.
	Dialer func(ctx context.Context, addr string) (net.Conn, error)
	// Timeout bounds a call whose context has no deadline.
	Timeout time.Duration
	// AttemptTimeout bounds one attempt of a call, so that a node that hangs
	// does not use up the whole of it.
	AttemptTimeout time.Duration
	// Session to go on with; nil starts a new one.
	Session *Session
	// Connections per endpoint; 0 means 1.
	Connections int
	// Unary makes each call one of gRPC's own. Otherwise writes go together over a
	// stream of their connection, where the server has one to offer, which costs both
	// sides less.
	Unary bool
	// Logger may be nil: then nothing is logged.
	Logger hclog.Logger
	// Tracer makes each call a span below that of its context, and the servers'
	// spans go below the call's. Nil: nothing is traced, and no trace goes along.
	Tracer trace.TracerProvider
}

// Client talks to one cluster. Its methods may be called concurrently.
type Client struct {
	caller         metadata.MD
	timeout        time.Duration
	attemptTimeout time.Duration
	log            hclog.Logger
	tracer         trace.Tracer // nil: nothing is traced
	session        *Session
	directory      *directory
	leader         leadership
	holders        holders
	ids, tso       *dispenser
	clock          clock
	closed         atomic.Bool
}

// New returns a client that connects when it is first used. The error, for a
// configuration that cannot work, has the reason INVALID.
func New(cfg Config) (*Client, error) {
	if len(cfg.Endpoints) == 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "client: no endpoint: give at least one host:port")
	}
	if cfg.Connections < 0 || cfg.Timeout < 0 || cfg.AttemptTimeout < 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "client: connections (%d), timeout (%v) and attempt timeout (%v) must not be negative",
			cfg.Connections, cfg.Timeout, cfg.AttemptTimeout)
	}
	caller, err := callerOf(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{
		caller:         caller,
		timeout:        orDefault(cfg.Timeout, DefaultTimeout),
		attemptTimeout: orDefault(cfg.AttemptTimeout, DefaultAttemptTimeout),
		log:            cfg.Logger,
		session:        cfg.Session,
	}
	if cfg.Tracer != nil {
		c.tracer = cfg.Tracer.Tracer(tracing.Scope)
	}
	if c.log == nil {
		c.log = hclog.NewNullLogger()
	}
	if c.session == nil {
		c.session = NewSession()
	}
	c.clock.start()
	c.leader.start()
	c.ids, c.tso = newDispensers(c)
	c.directory = newDirectory(dialer{
		plain:       cfg.TLS == nil,
		dial:        cfg.Dialer,
		connections: max(1, cfg.Connections),
		secret:      cfg.Token != "" && !cfg.Insecure && cfg.Dialer == nil && cfg.TLS == nil,
		options:     dialOptions(cfg, c.attemptTimeout),
		caller:      caller,
		unary:       cfg.Unary,
	}, &c.clock)
	for _, addr := range cfg.Endpoints {
		ep, err := c.directory.add(strings.TrimSpace(addr), inRotation)
		if err != nil {
			return nil, errors.Join(err, c.directory.close())
		}
		ep.configured = true
	}
	c.directory.shuffle()
	return c, nil
}

// Session is the one that this client keeps and requires.
func (c *Client) Session() *Session { return c.session }

// Endpoints are the addresses that calls are spread over: the configured ones,
// and those learnt of other members.
func (c *Client) Endpoints() []string {
	var addrs []string
	for _, ep := range c.directory.roster().rotation {
		addrs = append(addrs, ep.addr)
	}
	return addrs
}

// Close ends every connection. Calls under way fail: reads and watches with
// CANCELED, writes that may have been made with OUTCOME_UNKNOWN.
func (c *Client) Close() error {
	c.closed.Store(true)
	err := c.directory.close()
	c.ids.wait()
	c.tso.wait()
	return err
}

// callerOf is what each call says of who makes it.
func callerOf(cfg Config) (metadata.MD, error) {
	if cfg.Token != "" {
		if _, err := candor.ParseBearer(cfg.Token); err != nil {
			return nil, candor.Wrap("client", err)
		}
		caller := metadata.Pairs(tokenKey, "Bearer "+cfg.Token)
		if cfg.Actor != "" {
			caller.Set(actorKey, cfg.Actor)
		}
		return caller, nil
	}
	if cfg.Actor == "" && cfg.TLS != nil && cfg.TLS.Material().Certificate != nil {
		return metadata.MD{}, nil // the certificate says it
	}
	actor, err := actorName(cfg.Actor)
	return metadata.Pairs(actorKey, actor), err
}

func actorName(name string) (string, error) {
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	if name == "" {
		name = "anonymous"
	}
	if len(name) > candor.MaxActorBytes {
		return "", candor.Errorf(candor.ReasonInvalid, "client: actor has %d bytes; at most %d are allowed", len(name), candor.MaxActorBytes)
	}
	for _, r := range name {
		if r < ' ' || r > '~' {
			return "", candor.Errorf(candor.ReasonInvalid, "client: actor %q: want printable ASCII", name)
		}
	}
	return name, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
