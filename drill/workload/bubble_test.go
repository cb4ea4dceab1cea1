package workload_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
	"github.com/candor-plane/candor/verify/evidence"
)

// bubble is a cluster in virtual time, as workloads see it.
type bubble struct {
	*servertest.Cluster

	names []string
}

func newBubble(t *testing.T) *bubble {
	t.Helper()
	b := &bubble{Cluster: servertest.Start(t)}
	for _, s := range b.Cluster.Servers() {
		b.names = append(b.names, s.Name())
	}
	return b
}

func (b *bubble) Servers() []string             { return b.names }
func (b *bubble) Endpoint(server string) string { return server }

func (b *bubble) Client(servers ...string) (*client.Client, error) {
	endpoints := servers
	if len(servers) == 0 {
		endpoints = b.names
	}
	dial := b.Dialer()
	return client.New(client.Config{Endpoints: endpoints, Actor: "drill", Dialer: func(ctx context.Context, address string) (net.Conn, error) {
		if !slices.Contains(endpoints, address) {
			return nil, fmt.Errorf("this client reaches %v alone", endpoints)
		}
		return dial(ctx, address)
	}})
}

func (b *bubble) ClientAs(actor string) (*client.Client, error) {
	return client.New(client.Config{Endpoints: b.names, Actor: actor, Dialer: b.Dialer()})
}

// drilled runs a workload for a while of virtual time, in the middle of which something
// befalls the cluster, and returns what was recorded.
func drilled(t *testing.T, b *bubble, name string, lasts time.Duration, befalls func()) *evidence.Evidence {
	t.Helper()
	w, e := begun(t, b, name)
	running, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- w.Run(running, e) }()
	time.Sleep(lasts / 2)
	befalls()
	time.Sleep(lasts / 2)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.Finish(ctx, e); err != nil {
		t.Fatal(err)
	}
	recorded, err := e.Recorder.Evidence()
	if err != nil {
		t.Fatal(err)
	}
	return recorded
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}
