package gossip

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"

	candor "github.com/candor-plane/candor"
)

// Close says goodbye, so that peers see LEFT and not DEAD, stops, and waits for
// every goroutine, all within CloseTimeout. It may be called more than once.
//
// Gossip has ended whatever it returns: TIMED_OUT means that no peer took the
// goodbye in time, or that something of the library still runs.
func (g *Gossip) Close() error {
	g.stopping.Do(func() { g.stopErr = g.stop(true) })
	return g.stopErr
}

// Abort stops like Close but without a goodbye, as a crash would: peers find
// out by probing. For tests, and for a server that must end at once.
func (g *Gossip) Abort() error {
	g.stopping.Do(func() { g.stopErr = g.stop(false) })
	return g.stopErr
}

// listen creates the library's part, under a label of its own.
func (g *Gossip) listen(ctx context.Context) error {
	library := g.cfg.library(g.delegate, g.lines)
	var err error
	labelled(ctx, g.instance, func() { g.list, err = memberlist.Create(library) })
	if err != nil {
		return g.undoListen(ctx, err)
	}
	self := g.list.LocalNode()
	g.addr = net.JoinHostPort(self.Addr.String(), strconv.Itoa(int(self.Port)))
	return nil
}

// undoListen waits for what a failed start left behind and gives the failure
// its reason.
func (g *Gossip) undoListen(ctx context.Context, cause error) error {
	if g.cfg.Transport != nil {
		cause = errors.Join(cause, g.cfg.Transport.Shutdown())
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Profile.CloseTimeout)
	defer cancel()
	if !awaitGoroutines(ctx, g.instance) {
		cause = errors.Join(cause, g.overdue("memberlist"))
	}
	if g.cfg.Transport != nil {
		return candor.Errorf(candor.ReasonUnavailable, "gossip cannot start: %w", cause)
	}
	return bindError(ctx, g.cfg.BindAddr, g.cfg.BindPort, cause)
}

func (g *Gossip) run(ctx context.Context) {
	loops, stopLoops := context.WithCancel(ctx)
	observer, stopObserver := context.WithCancel(ctx)
	g.stopLoops, g.stopObserver = stopLoops, stopObserver
	start := func(done chan struct{}, loop func(context.Context), ctx context.Context) {
		go func() {
			defer close(done)
			loop(ctx)
		}()
	}
	start(g.observerDone, g.observe, observer)
	start(g.publisherDone, g.publish, loops)
	start(g.proberDone, g.probe, loops)
	start(g.joinerDone, g.rejoin, loops)
}

func (g *Gossip) stop(goodbye bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), g.cfg.Profile.CloseTimeout)
	defer cancel()
	g.stopLoops()
	<-g.publisherDone // it never waits for the network
	var errs []error
	if goodbye {
		errs = append(errs, g.leave())
	}
	if err := g.list.Shutdown(); err != nil {
		errs = append(errs, candor.Wrap("gossip: shut down", err))
	}
	for _, loop := range []struct {
		name string
		done chan struct{}
	}{{"prober", g.proberDone}, {"joiner", g.joinerDone}} {
		errs = append(errs, g.await(ctx, loop.name, loop.done))
	}
	if !awaitGoroutines(ctx, g.instance) {
		errs = append(errs, g.overdue("memberlist"))
	}
	g.lines.closed.Store(true)
	g.box.close()
	g.stopObserver()
	errs = append(errs, g.await(ctx, "observer", g.observerDone))
	g.subs.close()
	return errors.Join(errs...)
}

// leave announces that the end will be on purpose, and then the end. The first
// must be passed on before the second is queued, or it would be replaced by it.
func (g *Gossip) leave() error {
	half := g.cfg.Profile.LeaveTimeout / 2
	m := Meta{Identity: g.cfg.Identity, Hints: *g.wanted.Load(), Leaving: true}
	if err := g.setMeta(m); err != nil {
		return err
	}
	var errs []error
	if err := g.list.UpdateNode(half); err != nil {
		errs = append(errs, candor.Errorf(candor.ReasonTimedOut, "gossip: no peer took the goodbye within %v: %w", half, err))
	}
	if err := g.list.Leave(half); err != nil {
		errs = append(errs, candor.Errorf(candor.ReasonTimedOut, "gossip: no peer took the departure within %v: %w", half, err))
	}
	return errors.Join(errs...)
}

func (g *Gossip) await(ctx context.Context, name string, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return g.overdue(name)
	}
}

func (g *Gossip) overdue(name string) error {
	return candor.Errorf(candor.ReasonTimedOut, "gossip: %s still runs %v after it was told to stop",
		name, g.cfg.Profile.CloseTimeout.Round(time.Millisecond))
}
