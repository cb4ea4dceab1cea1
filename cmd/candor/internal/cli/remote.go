package cli

import (
	"context"
	"io"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Reader is what commands read objects with.
type Reader interface {
	Get(ctx context.Context, ref candor.Ref, options ...client.ReadOption) (*candor.Object, candor.Witness, error)
	List(ctx context.Context, kind candor.KindName, o client.ListOptions, options ...client.ReadOption) (*client.Page, error)
	History(ctx context.Context, ref candor.Ref, options ...client.ReadOption) (*client.History, error)
	Outcome(ctx context.Context, requestID string, options ...client.ReadOption) (client.WriteOutcome, error)
}

// Writer is what commands change objects with.
type Writer interface {
	Create(ctx context.Context, o *candor.Object, options ...client.WriteOption) (client.Result, error)
	Update(ctx context.Context, o *candor.Object, options ...client.WriteOption) (client.Result, error)
	Delete(ctx context.Context, ref candor.Ref, options ...client.WriteOption) (client.Result, error)
}

// Events are a watch under way.
type Events interface {
	Next(ctx context.Context) (client.WatchBatch, error)
	Close() error
}

// ClusterReader is what commands learn of the cluster from.
type ClusterReader interface {
	Status(ctx context.Context, options ...client.ReadOption) (*client.ClusterStatus, error)
	Members(ctx context.Context, options ...client.ReadOption) (*client.Members, error)
}

// ClusterChanger is what commands change the cluster with.
type ClusterChanger interface {
	Join(ctx context.Context, server client.JoinRequest) (*client.Joined, error)
	Remove(ctx context.Context, server string, o client.RemoveOptions) (client.Reshaped, error)
	Replace(ctx context.Context, server, with string, o client.ReplaceOptions) (client.Reshaped, error)
	Promote(ctx context.Context, server string, expectedConfiguration uint64) (client.Promoted, error)
	TransferLeader(ctx context.Context, server string) (client.Handover, error)
}

// LevelRaiser is what commands raise the feature level with.
type LevelRaiser interface {
	RaiseFeatureLevel(ctx context.Context, level uint32) (uint32, error)
}

// Transitions are what commands learn of changes of several steps from, and give them
// up with.
type Transitions interface {
	List(ctx context.Context, pending bool, options ...client.ReadOption) (*client.TransitionList, error)
	Get(ctx context.Context, id string, options ...client.ReadOption) (*client.TransitionList, error)
	Wait(ctx context.Context, id string, options ...client.ReadOption) (*client.Transition, error)
	Cancel(ctx context.Context, id, reason string) (*client.Transition, error)
}

// TenureReader is what commands learn of duties from.
type TenureReader interface {
	Tenures(ctx context.Context, options ...client.ReadOption) (*client.Tenures, error)
}

// DutyChanger is what commands hand duties over with.
type DutyChanger interface {
	TransferTenure(ctx context.Context, duty, server string) (*client.Transferred, error)
}

// Dispenser is what commands take numbers from.
type Dispenser interface {
	AllocIDs(ctx context.Context, n uint64) (client.Numbers, error)
	Timestamps(ctx context.Context, n uint64) (client.Numbers, error)
}

// Keeper is what commands look after the root with.
type Keeper interface {
	Compact(ctx context.Context, revision uint64, options ...client.WriteOption) (uint64, error)
	Snapshot(ctx context.Context, to io.Writer, progress func(written, estimated uint64), options ...client.ReadOption) (client.SnapshotInfo, error)
}

// Explainer is what commands ask why with.
type Explainer interface {
	Why(ctx context.Context, subject candor.VersionRef, options ...client.ReadOption) (*client.Explained, error)
	WhyNot(ctx context.Context, of candor.Ref, node string, options ...client.ReadOption) (*client.Explained, error)
	Plan(ctx context.Context, objects []*candor.Object, options ...client.ReadOption) (*client.Planned, error)
	Reconciles(ctx context.Context, of candor.Ref, options ...client.ReadOption) (*client.Reconciled, error)
}

// Decider is what commands look at decisions with.
type Decider interface {
	Decision(ctx context.Context, which client.WhichDecision, options ...client.ReadOption) (*client.Decided, error)
	ReplayDecision(ctx context.Context, which client.WhichDecision, options ...client.ReadOption) (*client.Replayed, error)
}

// NodeReader is what commands ask one node with.
type NodeReader interface {
	Node(ctx context.Context) (*client.NodeReport, error)
	Digests(ctx context.Context, from uint64) ([]client.IndexDigest, error)
	Records(ctx context.Context) ([]client.TurnRecord, error)
	Freshness(ctx context.Context, bounds client.FreshnessBounds) (*client.NodeFreshness, error)
}

// Changes are the catch-up of one node under way.
type Changes interface {
	Next(ctx context.Context) (client.CatchUpChange, error)
	Close() error
}

// NodeChanger is what commands change one node with.
type NodeChanger interface {
	SetViewOnly(ctx context.Context, on bool) (changed bool, w candor.Witness, err error)
	Repair(ctx context.Context) (*client.Repaired, error)
}

// GossipRing is what commands look at the gossip keys of one node with, and change
// them.
type GossipRing interface {
	GossipKeys(ctx context.Context) ([]client.GossipKey, error)
	AddGossipKey(ctx context.Context, key string) (*client.GossipKeyChange, error)
	UseGossipKey(ctx context.Context, fingerprint string) (*client.GossipKeyChange, error)
	RemoveGossipKey(ctx context.Context, fingerprint string) (*client.GossipKeyChange, error)
}

// AuditReader is what commands read the audit log of one node with.
type AuditReader interface {
	TailAudit(ctx context.Context, q client.AuditQuery, each func(line []byte) error) error
}

// AccessControl is what commands ask of who they are and what they may do.
type AccessControl interface {
	WhoAmI(ctx context.Context) (*client.Self, error)
	CanI(ctx context.Context, ask client.Ask) (*client.Verdict, error)
	Open(ctx context.Context, o client.Opening) (epoch uint64, err error)
}

// Remote is a connection to a cluster, by what commands do with it. Everything
// shares one session.
type Remote struct {
	// Servers are the addresses that the connection began with.
	Servers []string
	Reader  Reader
	Writer  Writer
	Watch   func(ctx context.Context, o client.WatchOptions) (Events, error)
	Cluster ClusterReader
	Changer ClusterChanger
	Levels  LevelRaiser
	Keeper  Keeper
	Tenures TenureReader
	Duties  DutyChanger
	// Transitions are the changes of the members, among others.
	Transitions Transitions
	Numbers     Dispenser
	Explain     Explainer
	Decisions   Decider
	Node        func(address string) NodeReader
	Journal     func(address string) JournalReader
	CatchUp     func(ctx context.Context, address string) (Changes, error)
	Steer       func(address string) NodeChanger
	Ring        func(address string) GossipRing
	Audit       func(address string) AuditReader
	// Access is that of one server, or of any for "".
	Access func(address string) AccessControl
	Close  func() error
}

// connect dials nothing yet: the first request does.
func connect(e Endpoint) (*Remote, error) {
	own, err := openIdentity(e.TLS)
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Config{Endpoints: e.Servers, Actor: e.Actor, Token: e.Token, TLS: own, Timeout: e.Timeout, Tracer: e.Tracer})
	if err != nil {
		return nil, err
	}
	return &Remote{
		Servers: e.Servers, Reader: c, Writer: c, Cluster: c.Cluster(), Changer: c.Cluster(), Levels: c.Cluster(), Transitions: c.Transitions(), Keeper: c.Cluster(), Tenures: c, Duties: c, Numbers: c, Explain: c, Decisions: c, Close: func() error { return closeBoth(c, own) },
		Watch:  func(ctx context.Context, o client.WatchOptions) (Events, error) { return c.Watch(ctx, o) },
		Node:   func(address string) NodeReader { return c.Diagnostics(address) },
		Steer:  func(address string) NodeChanger { return c.Node(address) },
		Ring:   func(address string) GossipRing { return c.Node(address) },
		Audit:  func(address string) AuditReader { return c.Node(address) },
		Access: func(address string) AccessControl { return c.Access(address) },
		CatchUp: func(ctx context.Context, address string) (Changes, error) {
			return c.Diagnostics(address).WatchCatchUp(ctx)
		},
		Journal: func(address string) JournalReader { return c.Diagnostics(address) },
	}, nil
}

// options are the contract as the SDK takes it.
func (r Reading) options() []client.ReadOption {
	options := []client.ReadOption{client.WithFreshness(r.Freshness)}
	if r.MaxLag != nil {
		options = append(options, client.WithMaxLag(*r.MaxLag))
	}
	if r.MaxAge != nil {
		options = append(options, client.WithMaxStaleness(*r.MaxAge))
	}
	if !r.Token.IsZero() {
		options = append(options, client.WithRequiredToken(r.Token))
	}
	if r.Follower {
		options = append(options, client.WithFollowerReadIndex())
	}
	if r.AcceptStale {
		options = append(options, client.AcceptStale())
	}
	if r.AtRevision > 0 {
		options = append(options, client.AtRevision(r.AtRevision))
	}
	return options
}
