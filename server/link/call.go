package link

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// A call on the wire is a head (a number that pairs question and answer, the
// kind, the length of the body), big-endian, and the body; an answer likewise.
const (
	headBytes = 8 + 1 + 2
	// maxBody bounds what a peer may send.
	maxBody = 4 << 10
)

// kind is what a call asks.
type kind byte

const (
	kindConfirm kind = iota + 1
	kindProve
)

// frame is one question or answer.
type frame struct {
	id   uint64
	kind kind
	body []byte
}

func (f *frame) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, f.id)
	b = append(b, byte(f.kind))
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.body)))
	return append(b, f.body...)
}

func readFrame(r io.Reader) (frame, error) {
	var head [headBytes]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{id: binary.BigEndian.Uint64(head[:]), kind: kind(head[8])}
	size := int(binary.BigEndian.Uint16(head[9:]))
	if size > maxBody {
		return frame{}, candor.Errorf(candor.ReasonInvalid, "a frame of %d bytes; %d are the most", size, maxBody)
	}
	f.body = make([]byte, size)
	_, err := io.ReadFull(r, f.body)
	return f, err
}

// asker is the connection to one peer. Questions share it; answers may come in
// any order.
type asker struct {
	// dialing is held by the one caller that connects.
	dialing chan struct{}

	mu      sync.Mutex
	conn    net.Conn
	next    uint64
	waiting map[uint64]chan []byte
}

// call asks a server and waits for its answer. A connection that gave none in
// time is given up: the next question makes another.
func (l *Layer) call(ctx context.Context, server raft.Server, k kind, body []byte) ([]byte, error) {
	a, err := l.asker(string(server.ID))
	if err != nil {
		return nil, err
	}
	conn, err := l.connection(ctx, a, server)
	if err != nil {
		return nil, err
	}
	id, answers, ok := a.expect(conn)
	if !ok {
		return nil, errLost
	}
	stop := context.AfterFunc(ctx, func() { a.drop(conn) })
	defer stop()
	question := frame{id: id, kind: k, body: body}
	// One call of Write is one message, whoever else writes.
	if _, err := conn.Write(question.append(make([]byte, 0, headBytes+len(body)))); err != nil {
		a.drop(conn)
	}
	answer, ok := <-answers
	switch {
	case ok:
		return answer, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	default:
		return nil, errLost
	}
}

var errLost = candor.Errorf(candor.ReasonUnavailable, "the connection to the server broke")

func (l *Layer) asker(id string) (*asker, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errStopping
	}
	a := l.askers[id]
	if a == nil {
		a = &asker{dialing: make(chan struct{}, 1), waiting: map[uint64]chan []byte{}}
		l.askers[id] = a
	}
	return a, nil
}

var errStopping = candor.Errorf(candor.ReasonShuttingDown, "the server stops")

// connection is the one there is, or a new one.
func (l *Layer) connection(ctx context.Context, a *asker, server raft.Server) (net.Conn, error) {
	if c := a.current(); c != nil {
		return c, nil
	}
	select {
	case a.dialing <- struct{}{}:
		defer func() { <-a.dialing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c := a.current(); c != nil {
		return c, nil
	}
	c, err := l.connect(ctx, string(server.ID), HostPort(server.Address), forCalls)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = c.Close()
		return nil, errStopping
	}
	a.mu.Lock()
	a.conn = c
	a.mu.Unlock()
	l.wait.Go(func() { a.read(c) })
	return c, nil
}

// current is the connection in use, or nil. One that has been used for long is
// given up as soon as nobody waits on it.
func (a *asker) current() net.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != nil && len(a.waiting) == 0 && isAged(a.conn) {
		_ = a.conn.Close()
		a.conn = nil
	}
	return a.conn
}

// expect registers a question on the connection, if it is still the one in use.
func (a *asker) expect(on net.Conn) (uint64, <-chan []byte, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != on {
		return 0, nil, false
	}
	a.next++
	answers := make(chan []byte, 1)
	a.waiting[a.next] = answers
	return a.next, answers, true
}

// drop closes the connection and tells whoever waits on it.
func (a *asker) drop(c net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = c.Close()
	if a.conn != c {
		return
	}
	a.conn = nil
	for id, answers := range a.waiting {
		close(answers)
		delete(a.waiting, id)
	}
}

// read hands out answers until the connection ends.
func (a *asker) read(c net.Conn) {
	defer a.drop(c)
	r := bufio.NewReaderSize(c, 4<<10)
	for {
		f, err := readFrame(r)
		if err != nil {
			return
		}
		a.mu.Lock()
		if answers, ok := a.waiting[f.id]; ok && a.conn == c {
			answers <- f.body
			delete(a.waiting, f.id)
		}
		a.mu.Unlock()
	}
}
