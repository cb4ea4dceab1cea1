package link

import (
	"bufio"
	"context"
	"encoding/binary"
	"net"
	"sync"
)

// maxProving bounds the questions of one peer that may wait for a majority at
// once; a server asks one at a time.
const maxProving = 4

// served is one connection that a peer asks on.
type served struct {
	layer *Layer
	conn  net.Conn
	from  string
	slots chan struct{}
	// writing is held by the one who writes; a peer may be slow to read.
	writing chan struct{}
}

// serve answers one peer's questions until its connection ends.
func (l *Layer) serve(c net.Conn, from string) {
	defer c.Close()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.serving[c] = struct{}{}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.serving, c)
		l.mu.Unlock()
	}()
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{layer: l, conn: c, from: from, slots: make(chan struct{}, maxProving), writing: make(chan struct{}, 1)}
	var work sync.WaitGroup
	defer work.Wait()
	// A write that a peer does not take ends with the connection.
	defer c.Close()
	defer cancel()
	r := bufio.NewReaderSize(c, 4<<10)
	for {
		f, err := readFrame(r)
		if err != nil {
			return
		}
		switch f.kind {
		case kindConfirm:
			err = s.confirm(ctx, f)
		case kindProve:
			if len(f.body) != 8 {
				return
			}
			// It waits for other servers, and confirmations must not wait for it.
			select {
			case s.slots <- struct{}{}:
				work.Go(func() {
					defer func() { <-s.slots }()
					s.prove(ctx, f)
				})
			default:
				// The peer gave up on the ones before; it gives up on this one too.
			}
		default:
			return
		}
		if err != nil {
			return
		}
	}
}

func (s *served) confirm(ctx context.Context, f frame) error {
	q, err := parseQuestion(f.body)
	if err != nil {
		return err
	}
	a := s.layer.answers.Confirm(q)
	f.body = a.append(nil)
	return s.answer(ctx, &f)
}

func (s *served) prove(ctx context.Context, f frame) {
	a := s.layer.answers.Prove(ctx, s.from, binary.BigEndian.Uint64(f.body))
	f.body = a.append(nil)
	// The connection is gone with its context.
	_ = s.answer(ctx, &f)
}

// answer sends one answer; the connection ends with an error.
func (s *served) answer(ctx context.Context, f *frame) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	_, err := s.conn.Write(f.append(make([]byte, 0, headBytes+len(f.body))))
	if err != nil {
		_ = s.conn.Close()
	}
	return err
}

// hangUp ends all calls, both ways.
func (l *Layer) hangUp() {
	l.mu.Lock()
	l.closed = true
	askers := l.askers
	for c := range l.serving {
		_ = c.Close()
	}
	l.mu.Unlock()
	for _, a := range askers {
		if c := a.current(); c != nil {
			a.drop(c)
		}
	}
}
