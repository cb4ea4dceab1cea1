package drill

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
)

// Stage is a cluster that a drill runs on: processes of this machine in network
// namespaces or behind proxies, a cluster that `candor dev` runs, or one in virtual
// time. Its methods may be called concurrently. Close ends everything that it
// began, also when a fault still lasts.
type Stage interface { //nolint:interfacebloat // all that a drill needs of a cluster, for three that there are
	// Layer names what it is made of, for the report: "namespaces", "proxies", "dev",
	// "virtual time".
	Layer() string
	// Able says whether a fault can be made here, and why not (UNIMPLEMENTED).
	Able(f *scenario.Fault) error
	// Servers are the names of those that are part of the cluster now, running or not.
	Servers() []string
	// Endpoint is a server's API address, to name it to a client (client.OnEndpoint).
	Endpoint(server string) string
	// Client returns a new client, which reaches every server whatever befalls the
	// links between servers. With names, it knows these servers alone.
	Client(servers ...string) (*client.Client, error)
	// ClientAs returns one that reaches every server in the name of an actor, who it is
	// where access control is off.
	ClientAs(actor string) (*client.Client, error)
	// Inject begins a fault on the servers that its target was resolved to. It returns
	// once the fault is there.
	Inject(ctx context.Context, f *scenario.Fault, targets []string) (Injection, error)
	// Ended are the servers that ended by themselves so far.
	Ended() []End
	Close() error
}

// Injection is a fault that lasts. Faults of a moment are over when they are
// returned, and have nothing to heal.
type Injection interface {
	// Bite tells what was seen of its effect so far. A fault that was not seen to have
	// one makes a drill inconclusive.
	Bite() Bite
	// Heal ends it and returns once it is gone; for servers that were taken away: once
	// they run again. It may be called again.
	Heal(ctx context.Context) error
}

// Befalling is an Injection that befalls instances of the drill's own workload, none others.
type Befalling interface {
	Befell() []report.Befallen
}

// Bite is what was seen of a fault.
type Bite struct {
	// Seen counts: messages lost, syncs delayed, processes gone.
	Seen int `json:"seen"`
	// What was counted, in words: "messages lost".
	What string `json:"what"`
}

// End is a server that ended by itself.
type End struct {
	Server string
	At     time.Time
	// Reason and Message are what it told last; empty if it told none.
	Reason  candor.Reason
	Message string
	// Broken says that it panicked, or that the race detector spoke: never to be
	// expected.
	Broken bool
}
