package crowd

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
)

// Crowd comes from one place. Both fields are required.
type Crowd struct {
	// Dial connects to a server's API address.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Context is the stage's: what lasts ends with it.
	Context context.Context //nolint:containedctx // it is the stage's whole life
}

// Ending ends what lasts, and waits for it.
type Ending = func(context.Context) error

// preface begins an HTTP/2 connection, with settings that say nothing (RFC 9113,
// section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// Storm opens so many connections, spread over the addresses, and holds each: it says
// that it speaks HTTP/2 and nothing more. Who is turned away comes back.
func (c *Crowd) Storm(ctx context.Context, count int, addresses []string) (func() drill.Bite, Ending, error) {
	if len(addresses) == 0 {
		return nil, nil, candor.Errorf(candor.ReasonInvalid, "nobody to connect to")
	}
	going, stop := context.WithCancel(c.Context)
	var wait sync.WaitGroup
	var opened atomic.Int64
	var once sync.WaitGroup
	once.Add(count)
	for i := range count {
		wait.Go(func() {
			tried := false
			for {
				conn, err := c.Dial(going, addresses[i%len(addresses)])
				if err == nil {
					opened.Add(1)
				}
				if !tried {
					tried = true
					once.Done()
				}
				if err == nil {
					hold(going, conn)
				}
				if !sleep(going, 100*time.Millisecond+time.Duration(i%900)*time.Millisecond) {
					return
				}
			}
		})
	}
	tried := make(chan struct{})
	wait.Go(func() {
		once.Wait()
		close(tried)
	})
	end := func(context.Context) error {
		stop()
		wait.Wait()
		return nil
	}
	select {
	case <-tried:
	case <-ctx.Done():
		_ = end(ctx)
		return nil, nil, candor.Errorf(candor.ReasonTimedOut, "%d connections were not tried in time", count)
	}
	return func() drill.Bite { return drill.Bite{Seen: int(opened.Load()), What: "connections opened"} }, end, nil
}

// hold keeps a connection until the other side ends it or ctx ends.
func hold(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	release := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer release()
	if _, err := io.WriteString(conn, preface); err == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
