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
	"github.com/candor-plane/candor/fsm"
)

// Question asks a server which term it is in. Digests of the entries from From
// on come with the answer, or only the newest one when From is 0.
type Question struct {
	Term, Nonce, From uint64
}

// Answer is what a server says of itself. Who it is was settled when the
// connection began.
type Answer struct {
	Term, Nonce uint64
	Digests     []fsm.IndexDigest
}

// A question and an answer on the wire are a fixed head, big-endian, and the
// answer's digests. The first field pairs them.
const (
	questionBytes = 4 * 8
	answerBytes   = 3*8 + 2
	digestBytes   = 8 + len(fsm.Digest{})
	// maxDigests bounds an answer.
	maxDigests = 64
)

// asker is the connection to one peer. Questions share it; answers may come in
// any order.
type asker struct {
	// dialing is held by the one caller that connects.
	dialing chan struct{}

	mu      sync.Mutex
	conn    net.Conn
	next    uint64
	waiting map[uint64]chan Answer
}

// Ask asks the server and waits for its answer. A connection that gave none in
// time is given up: the next question makes another.
func (l *Layer) Ask(ctx context.Context, server raft.Server, q Question) (Answer, error) {
	a, err := l.asker(string(server.ID))
	if err != nil {
		return Answer{}, err
	}
	conn, err := l.connection(ctx, a, server)
	if err != nil {
		return Answer{}, err
	}
	id, answers, ok := a.expect(conn)
	if !ok {
		return Answer{}, errLost
	}
	var frame [questionBytes]byte
	binary.BigEndian.PutUint64(frame[0:], id)
	binary.BigEndian.PutUint64(frame[8:], q.Term)
	binary.BigEndian.PutUint64(frame[16:], q.Nonce)
	binary.BigEndian.PutUint64(frame[24:], q.From)
	stop := context.AfterFunc(ctx, func() { a.drop(conn) })
	defer stop()
	// One call of Write is one message, whoever else writes.
	if _, err := conn.Write(frame[:]); err != nil {
		a.drop(conn)
	}
	answer, ok := <-answers
	switch {
	case ok:
		return answer, nil
	case ctx.Err() != nil:
		return Answer{}, ctx.Err()
	default:
		return Answer{}, errLost
	}
}

var errLost = candor.Errorf(candor.ReasonUnavailable, "the connection to the server broke")

func (l *Layer) asker(id string) (*asker, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, candor.Errorf(candor.ReasonShuttingDown, "the server stops")
	}
	a := l.askers[id]
	if a == nil {
		a = &asker{dialing: make(chan struct{}, 1), waiting: map[uint64]chan Answer{}}
		l.askers[id] = a
	}
	return a, nil
}

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
	c, err := l.connect(ctx, string(server.ID), HostPort(server.Address), forConfirm)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = c.Close()
		return nil, candor.Errorf(candor.ReasonShuttingDown, "the server stops")
	}
	a.mu.Lock()
	a.conn = c
	a.mu.Unlock()
	l.wait.Go(func() { a.read(c) })
	return c, nil
}

func (a *asker) current() net.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.conn
}

// expect registers a question on the connection, if it is still the one in use.
func (a *asker) expect(on net.Conn) (uint64, <-chan Answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != on {
		return 0, nil, false
	}
	a.next++
	answers := make(chan Answer, 1)
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
		id, answer, err := readAnswer(r)
		if err != nil {
			return
		}
		a.mu.Lock()
		if answers, ok := a.waiting[id]; ok && a.conn == c {
			answers <- answer
			delete(a.waiting, id)
		}
		a.mu.Unlock()
	}
}

func readAnswer(r io.Reader) (id uint64, answer Answer, err error) {
	var head [answerBytes]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, Answer{}, err
	}
	answer.Term, answer.Nonce = binary.BigEndian.Uint64(head[8:]), binary.BigEndian.Uint64(head[16:])
	count := int(binary.BigEndian.Uint16(head[24:]))
	if count > maxDigests {
		return 0, Answer{}, candor.Errorf(candor.ReasonInvalid, "an answer with %d digests; %d are the most", count, maxDigests)
	}
	if count > 0 {
		answer.Digests = make([]fsm.IndexDigest, count)
	}
	for i := range answer.Digests {
		var one [digestBytes]byte
		if _, err := io.ReadFull(r, one[:]); err != nil {
			return 0, Answer{}, err
		}
		answer.Digests[i].Index = binary.BigEndian.Uint64(one[:])
		copy(answer.Digests[i].Digest[:], one[8:])
	}
	return binary.BigEndian.Uint64(head[:]), answer, nil
}

// serve answers one peer's questions until its connection ends.
func (l *Layer) serve(c net.Conn) {
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
	r := bufio.NewReaderSize(c, 4<<10)
	var frame [questionBytes]byte
	var out []byte
	for {
		if _, err := io.ReadFull(r, frame[:]); err != nil {
			return
		}
		answer := l.confirm(Question{
			Term: binary.BigEndian.Uint64(frame[8:]), Nonce: binary.BigEndian.Uint64(frame[16:]), From: binary.BigEndian.Uint64(frame[24:]),
		})
		out = appendAnswer(out[:0], binary.BigEndian.Uint64(frame[:]), &answer)
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

func appendAnswer(b []byte, id uint64, a *Answer) []byte {
	digests := a.Digests[max(0, len(a.Digests)-maxDigests):]
	b = binary.BigEndian.AppendUint64(b, id)
	b = binary.BigEndian.AppendUint64(b, a.Term)
	b = binary.BigEndian.AppendUint64(b, a.Nonce)
	b = binary.BigEndian.AppendUint16(b, uint16(len(digests)))
	for i := range digests {
		b = binary.BigEndian.AppendUint64(b, digests[i].Index)
		b = append(b, digests[i].Digest[:]...)
	}
	return b
}

// hangUp ends all confirmations, both ways.
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
