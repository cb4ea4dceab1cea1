package network

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// stream is one direction of one connection that a proxy carries. Its chunks keep
// their order, and what befalls the way holds them up.
type stream struct {
	way *way
	// uncounted is that of Delivers.
	uncounted bool
}

// chunk is what was read at once, or in err how the stream ended.
type chunk struct {
	data []byte
	at   time.Time
	err  error
}

const (
	chunkBytes = 16 << 10
	// chunksAhead bounds what is taken from a sender and not yet handed on, so that one
	// whose way is cut fills its own buffers.
	chunksAhead = 16
)

// carry carries to its end. It returns when the context is over, or an end of the
// connection is gone; the caller closes both.
func (s stream) carry(ctx context.Context, to, from *net.TCPConn) {
	ctx, cancel := context.WithCancel(ctx)
	queue := make(chan chunk, chunksAhead)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		s.write(ctx, to, from, queue)
	}()
	s.read(ctx, from, queue)
	<-done
}

func (s stream) read(ctx context.Context, from *net.TCPConn, queue chan<- chunk) {
	buffer := make([]byte, chunkBytes)
	for {
		n, err := from.Read(buffer)
		c := chunk{at: time.Now(), err: err}
		c.data = append(c.data, buffer[:n]...)
		s.count(Counters{Held: int64(n)})
		select {
		case queue <- c:
		case <-ctx.Done():
			s.count(Counters{Held: -int64(n)})
			return
		}
		if err != nil {
			return
		}
	}
}

// write is the queue's only reader, and leaves nothing in it.
func (s stream) write(ctx context.Context, to, from *net.TCPConn, queue <-chan chunk) {
	defer func() {
		for len(queue) > 0 {
			s.count(Counters{Held: -int64(len((<-queue).data))})
		}
	}()
	for {
		select {
		case c := <-queue:
			err := s.hold(ctx, c.at, len(c.data))
			s.count(Counters{Held: -int64(len(c.data))})
			if err != nil || !s.hand(to, from, c) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// hand hands a chunk on and says whether there may be more.
func (s stream) hand(to, from *net.TCPConn, c chunk) bool {
	if len(c.data) > 0 {
		if _, err := to.Write(c.data); err != nil {
			// Whoever sends learns that nobody takes it.
			_ = from.CloseRead()
			_ = from.SetLinger(0)
			return false
		}
	}
	if errors.Is(c.err, io.EOF) {
		_ = to.CloseWrite()
		return false
	}
	if c.err != nil {
		_ = to.SetLinger(0)
		_ = to.Close()
		return false
	}
	return true
}

// hold returns once what came at a time would have arrived.
func (s stream) hold(ctx context.Context, at time.Time, size int) error {
	repetition, met, cut := firstRepetition, false, false
	for {
		c, changed := s.way.condition()
		if c.whole() {
			return nil
		}
		if !met {
			met = true
			s.count(Counters{Messages: 1, Bytes: int64(size)})
		}
		if c.cut {
			if !cut {
				cut = true
				s.count(Counters{Lost: 1})
			}
			if err := wait(ctx, changed, nil); err != nil {
				return err
			}
			continue
		}
		f := s.way.draw(c, s.uncounted)
		if !f.lost {
			return s.delay(ctx, at, f)
		}
		s.count(Counters{Lost: 1})
		if err := waitFor(ctx, changed, repetition); err != nil {
			return err
		}
		at, repetition = time.Now(), min(2*repetition, lastRepetition)
	}
}

// delay waits for what was not lost, until it is due or the way is whole. A cut
// holds it up longer.
func (s stream) delay(ctx context.Context, at time.Time, f fate) error {
	if f.delay > 0 {
		s.count(Counters{Delayed: 1})
	}
	if f.overtaken {
		s.count(Counters{Reordered: 1})
	}
	for {
		c, changed := s.way.condition()
		left := time.Until(at.Add(f.delay))
		var err error
		switch {
		case c.whole(), left <= 0 && !c.cut:
			return nil
		case c.cut:
			err = wait(ctx, changed, nil)
		default:
			err = waitFor(ctx, changed, left)
		}
		if err != nil {
			return err
		}
	}
}

func (s stream) count(c Counters) {
	if !s.uncounted {
		s.way.count(c)
	}
}

func waitFor(ctx context.Context, changed <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	return wait(ctx, changed, timer.C)
}

func wait(ctx context.Context, changed <-chan struct{}, due <-chan time.Time) error {
	select {
	case <-changed:
		return nil
	case <-due:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
