package network

import (
	"context"
	"net"
)

// Placement is where a server is. It may be used concurrently, and ends with its
// Links.
type Placement struct {
	Name string
	// API and Raft are the server's addresses.
	API, Raft string
	// Loopback says that they are this machine's own; a server wants to be told of
	// others that they are meant (--insecure).
	Loopback bool
	// Lead, where it is not nil, leads a connect of the server to the link's proxy. The
	// caller has the kernel ask about each connect of the process (seccomp's user
	// notification) and calls Lead with the thread that asks and the call's second
	// argument, before it lets the call go on. Over namespaces it is nil.
	Lead func(thread uint32, sockaddr uint64)

	within func(do func() error) error
	began  func()
}

// Start starts a process there: start is an exec.Cmd's Start or what calls it.
// It may be called again once the process has ended.
func (p *Placement) Start(start func() error) error {
	if err := p.within(start); err != nil {
		return err
	}
	p.began()
	return nil
}

// Listen listens there; the caller closes the listener.
func (p *Placement) Listen(ctx context.Context, address string) (net.Listener, error) {
	var l net.Listener
	err := p.within(func() (err error) {
		l, err = new(net.ListenConfig).Listen(ctx, "tcp4", address)
		return err
	})
	return l, err
}
