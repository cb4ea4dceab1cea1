package grpcapi

import (
	"context"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

const (
	// MaxWatches is how many watches a stream may have at a time.
	MaxWatches = 1024
	// maxWatchStreams bounds the streams of a server. Whoever gets none watches without.
	maxWatchStreams = 4096
	// maxDeliveries is about how many bytes go into one message, unless a single
	// delivery has more.
	maxDeliveries = 256 << 10
	// maxDelivery bounds an encoded response: with its frame, and the numbers of all
	// watches of a stream, it must fit into a message.
	maxDelivery = 8<<20 - 16<<10
	// maxUnsent is how many bytes of a watch wait to be sent before it waits, too.
	maxUnsent = 64 << 10
	// maxWatchCredit bounds what a watch is believed to have; it is no memory here.
	maxWatchCredit = 1 << 40
)

// Watches serves one stream of watches.
func (c *Calls) Watches(stream candorv1.CallService_WatchesServer) error {
	defer c.watching.Add(-1)
	if n := c.watching.Add(1); n > maxWatchStreams {
		return candor.Errorf(candor.ReasonQueueSaturated, "this server has %d streams of watches, which are the most: watch without one", maxWatchStreams)
	}
	if err := stream.Send(&candorv1.WatchesResponse{Limit: MaxWatches}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	s := newWatchStream(ctx, c, stream)
	// A stream that does not end well takes its watches with it.
	defer s.watches.Wait()
	defer cancel()
	defer s.close()
	received := make(chan error, 1)
	c.reading.Go(func() { received <- s.receive() })
	return s.deliver(received)
}
