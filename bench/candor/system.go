// Package candor is the measured side: three candor servers, each a process of
// its own, driven by the Go SDK.
//
// It guarantees that every operation means for Candor what the system package
// states. It changes no default except where an experiment asks for heartbeat,
// election and security. Command bench wires it.
package candor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/internal/wire"

	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

// System starts Candor clusters whose members are runs of one binary.
type System struct {
	binary, version string
	flags           []string
}

// New takes the path of the candor binary, its version, and what its servers are
// told besides.
func New(binary, version string, flags ...string) *System {
	if binary == "" {
		panic("candor.New: no binary to run as a server")
	}
	return &System{binary: binary, version: version, flags: flags}
}

// Version asks a candor binary for its version.
func Version(binary string) (string, error) {
	out, err := exec.Command(binary, "version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w: build it with `make build`, or name another with --candor", binary, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Describe names the binary and the settings that are not its defaults.
func (s *System) Describe() system.Description {
	d := system.Description{
		Name: "candor", Version: s.version,
		Settings: []string{
			"everything at the defaults of `candor server`, gossip off: heartbeat and election 250 ms, log store wal, fsync on",
			"update = Update; create = Create; compare-and-swap = Update with resourceVersion; every write carries a request ID and is answered without the object, as the peer's are",
			"strong read = Get STRONG; local read = Get BEST_EFFORT on the asked server; list = pages of 1,000 at one revision",
			"bounded read = Get BOUNDED at the default bound; strong read at a follower = Get STRONG by follower read index; every read without a session",
			"tls: --tls-ca, --tls-cert and --tls-key with what `candor tls` issues, access control opened, the load a client certificate whose role may get, list, watch, create and update the measured kind in its namespace",
		},
	}
	if len(s.flags) > 0 {
		d.Settings = append(d.Settings, "servers started with "+strings.Join(s.flags, " "))
	}
	return d
}

// EncodedBytes is the stored form of one object as its first version.
func (s *System) EncodedBytes(o system.Object) int {
	stored := object(o)
	stored.Metadata.UID = "00000000-0000-0000-0000-000000000000"
	stored.Metadata.Generation, stored.Metadata.ResourceVersion, stored.Metadata.CreateRevision = 1, 1<<20, 1<<20
	stored.Metadata.CreationTime = time.Unix(1<<30, 1<<29)
	stored.Cause = &candor.Cause{Actor: actor}
	return len(stored.Metadata.Namespace) + 1 + len(o.Name) + len(wire.AppendObject(nil, stored))
}

// Start runs three servers and waits until each of them serves.
func (s *System) Start(ctx context.Context, settings system.Settings) (system.Cluster, error) {
	addresses, err := settings.Spawner.Addresses(2 * system.Members)
	if err != nil {
		return nil, err
	}
	api, raft := addresses[:system.Members], addresses[system.Members:]
	initial := make([]string, system.Members)
	for i := range initial {
		initial[i] = fmt.Sprintf("%s=%s/%s", memberName(i), api[i], raft[i])
	}
	var proven credentials
	if settings.Security == system.Secured {
		if proven, err = s.certify(ctx, settings.Dir); err != nil {
			return nil, fmt.Errorf("start candor cluster: %w", err)
		}
	}
	commands := make([]process.Command, system.Members)
	for i := range commands {
		args := []string{
			"server", "--name", memberName(i), "--data", filepath.Join(settings.Dir, memberName(i)),
			"--api", api[i], "--raft", raft[i], "--gossip", "", "--debug", "",
			"--initial-cluster", strings.Join(initial, ","), "--cluster-token", settings.Dir, "--log-level", "warn",
		}
		if settings.Election != 0 {
			args = append(args, "--heartbeat", settings.Election.String(), "--election", settings.Election.String(),
				"--leader-lease", settings.Election.String())
		}
		args = append(append(args, proven.flags(i)...), s.flags...)
		commands[i] = process.Command{Path: s.binary, Args: args, Log: filepath.Join(settings.Dir, memberName(i)+".log"), FsyncDelay: settings.FsyncDelay}
	}
	group, err := process.StartGroup(settings.Spawner, commands)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start candor cluster: %w", err), proven.close())
	}
	c := &cluster{group: group, addresses: api, credentials: proven, binary: s.binary, dir: settings.Dir, spawner: settings.Spawner}
	if err := c.awaitServing(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start candor cluster: %w", err), c.Close())
	}
	return c, nil
}

func memberName(i int) string { return fmt.Sprintf("member-%d", i) }

const (
	kindName     = candor.KindName(system.Plural + "." + system.Group)
	apiVersion   = system.Group + "/" + system.Version
	actor        = "bench"
	pollInterval = 10 * time.Millisecond
	askTimeout   = 500 * time.Millisecond
)

// kind declares what is measured, with a schema that every write is checked by.
var kind = &candor.Object{
	APIVersion: candor.APIVersion, Kind: "Kind", Metadata: candor.Metadata{Name: string(kindName)},
	Spec: []byte(`{"group":"` + system.Group + `","version":"` + system.Version + `","scope":"Namespaced",` +
		`"names":{"kind":"` + system.Kind + `","plural":"` + system.Plural + `"},"schema":{"spec":{"type":"object",` +
		`"required":["image"],"properties":{"replicas":{"type":"integer","minimum":0},"image":{"type":"string"}}}}}`),
}

func object(o system.Object) *candor.Object {
	return &candor.Object{APIVersion: apiVersion, Kind: system.Kind, Spec: o.Spec, Metadata: candor.Metadata{Namespace: system.Namespace, Name: o.Name}}
}

func ref(o system.Object) candor.Ref {
	return candor.Ref{Kind: kindName, Namespace: system.Namespace, Name: o.Name}
}

type cluster struct {
	group       *process.Group
	addresses   []string
	credentials credentials
	// binary, dir and spawner are for the simulated nodes.
	binary, dir string
	spawner     *process.Spawner
}

func (c *cluster) Processes() *process.Group { return c.group }

func (c *cluster) Address(member int) string { return c.addresses[member] }

func (c *cluster) Close() error { return errors.Join(c.group.Close(), c.credentials.close()) }

// Leader is the server that answers a confirmed read.
func (c *cluster) Leader(ctx context.Context) (int, error) {
	for {
		for member := range c.addresses {
			if c.leads(ctx, member) {
				return member, nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("find candor leader: %w", errors.Join(ctx.Err(), c.group.Err()))
		case <-time.After(pollInterval):
		}
	}
}

func (c *cluster) leads(ctx context.Context, member int) bool {
	if c.group.Member(member).Err() != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	sdk, err := client.New(c.config(administrator, c.addresses[member]))
	if err != nil {
		return false
	}
	defer func() { _ = sdk.Close() }()
	// Only the leader serves it, and the client refuses it from anyone else.
	_, _, err = sdk.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: system.Namespace}, client.OnEndpoint(c.addresses[member]))
	return err == nil
}

// awaitServing returns once a leader is confirmed, the measured kind exists and
// every server knows it, and in a secured cluster who may do what.
func (c *cluster) awaitServing(ctx context.Context) error {
	if _, err := c.Leader(ctx); err != nil {
		return err
	}
	all, err := client.New(c.config(administrator, c.addresses...))
	if err != nil {
		return err
	}
	defer func() { _ = all.Close() }()
	if _, err := all.Create(ctx, kind); err != nil {
		return fmt.Errorf("declare the measured kind: %w", err)
	}
	if c.credentials.secured() {
		if err := grant(ctx, all); err != nil {
			return err
		}
	}
	for member, address := range c.addresses {
		for {
			_, _, err := all.Get(ctx, candor.Ref{Kind: candor.KindKinds, Name: string(kindName)},
				client.OnEndpoint(address), client.WithFreshness(candor.FreshnessBestEffort))
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return fmt.Errorf("await server %d: %w", member, errors.Join(err, c.group.Err()))
			}
		}
	}
	if !c.credentials.secured() {
		return nil
	}
	return c.awaitGranted(ctx)
}

// Dial makes one client; given one server, every request goes to it.
func (c *cluster) Dial(ctx context.Context, members ...int) (system.Conn, error) {
	endpoints := make([]string, len(members))
	for i, member := range members {
		endpoints[i] = c.addresses[member]
	}
	config := c.config(actor, endpoints...)
	config.Timeout = time.Minute
	sdk, err := client.New(config)
	if err != nil {
		return nil, fmt.Errorf("dial candor at %v: %w", endpoints, err)
	}
	conn := &conn{client: sdk}
	if len(endpoints) == 1 {
		conn.pin = []client.ReadOption{client.OnEndpoint(endpoints[0])}
	}
	conn.local = append([]client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort), client.WithoutSession()}, conn.pin...)
	conn.strong = append([]client.ReadOption{client.WithoutSession()}, conn.pin...)
	conn.bounded = append([]client.ReadOption{client.WithFreshness(candor.FreshnessBounded), client.WithoutSession()}, conn.pin...)
	conn.strongHere = append([]client.ReadOption{client.WithFollowerReadIndex(), client.WithoutSession()}, conn.pin...)
	if _, _, err := sdk.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: system.Namespace}, conn.local...); err != nil {
		return nil, errors.Join(fmt.Errorf("await a first answer of %v: %w", endpoints, err), conn.Close())
	}
	return conn, nil
}
