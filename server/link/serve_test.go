package link

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// slow answers proofs when it is let, and confirmations at once.
type slow struct {
	echo
	release chan struct{}

	mu          sync.Mutex
	begun, hung int
}

func (s *slow) Prove(ctx context.Context, from string, term uint64) Proof {
	s.mu.Lock()
	s.begun++
	s.mu.Unlock()
	select {
	case <-s.release:
	case <-ctx.Done():
		s.mu.Lock()
		s.hung++
		s.mu.Unlock()
	}
	return s.echo.Prove(ctx, from, term)
}

func (s *slow) counts() (begun, hung int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun, s.hung
}

// serving starts a layer with answers of its own.
func serving(t *testing.T, answers Answers) *Layer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := start(t, "c1", "dials").config
	config.Listener, config.ServerID = listener, "b"
	l := New(config)
	l.Start(answers, func(string) {})
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for began := time.Now(); !condition(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("never ", what)
		}
	}
}

// TestAProofThatWaitsHoldsNoConfirmationUp: they share the connection.
func TestAProofThatWaitsHoldsNoConfirmationUp(t *testing.T) {
	answers := &slow{release: make(chan struct{})}
	a, b := start(t, "c1", "a"), serving(t, answers)
	var wait sync.WaitGroup
	for i := range uint64(maxProving) {
		wait.Go(func() {
			got, err := a.Prove(t.Context(), at(b, "b"), i)
			if want := (echo{}).Prove(t.Context(), "a", i); err != nil || got != want {
				t.Errorf("proof %d: %+v, %v; want %+v", i, got, err, want)
			}
		})
	}
	until(t, "waiting", func() bool { begun, _ := answers.counts(); return begun == maxProving })
	for i := range uint64(100) {
		q := Question{Term: i, Nonce: i}
		if got, err := a.Ask(t.Context(), at(b, "b"), q); err != nil || got != (echo{}).Confirm(q) {
			t.Fatalf("question %d: %+v, %v", i, got, err)
		}
	}
	// One more than may wait is not answered, and costs its caller its deadline.
	if begun, hung := answers.counts(); begun != maxProving || hung != 0 {
		t.Errorf("%d proofs begun, %d hung up", begun, hung)
	}
	close(answers.release)
	wait.Wait()
}

func TestMoreProofsThanMayWaitAreNotBegun(t *testing.T) {
	answers := &slow{release: make(chan struct{})}
	a, b := start(t, "c1", "a"), serving(t, answers)
	var wait sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	for range 3 * maxProving {
		wait.Go(func() {
			if _, err := a.Prove(ctx, at(b, "b"), 1); err == nil {
				t.Error("a proof that nobody gave")
			}
		})
	}
	wait.Wait()
	if begun, _ := answers.counts(); begun != maxProving {
		t.Errorf("%d proofs were begun at once", begun)
	}
	// Giving up ended the connection; the next question has another.
	until(t, "ended", func() bool { _, hung := answers.counts(); return hung == maxProving })
	close(answers.release)
	if _, err := a.Prove(t.Context(), at(b, "b"), 1); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestHangingUpEndsAProof: who asks is gone, or the server stops.
func TestHangingUpEndsAProof(t *testing.T) {
	for name, end := range map[string]func(asker, asked *Layer) error{
		"the asker":   func(asker, _ *Layer) error { return asker.Close() },
		"the asked":   func(_, asked *Layer) error { return asked.Close() },
		"the network": func(asker, _ *Layer) error { return asker.askers["b"].current().Close() },
	} {
		answers := &slow{release: make(chan struct{})}
		a, b := start(t, "c1", "a"), serving(t, answers)
		got := make(chan error, 1)
		go func() {
			_, err := a.Prove(t.Context(), at(b, "b"), 1)
			got <- err
		}()
		until(t, "begun", func() bool { begun, _ := answers.counts(); return begun == 1 })
		if err := end(a, b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-got; err == nil {
			t.Errorf("%s hung up, and there is a proof", name)
		}
		until(t, "ended: "+name, func() bool { _, hung := answers.counts(); return hung == 1 })
	}
}

// raw is a connection for calls that a test writes to itself.
func raw(t *testing.T, to *Layer) net.Conn {
	t.Helper()
	a := start(t, "c1", "a")
	c, err := a.connect(t.Context(), "b", to.config.Listener.Addr().String(), forCalls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestAFrameThatIsNoneEndsTheConnection: too long, of another kind, of another
// length than its kind has.
func TestAFrameThatIsNoneEndsTheConnection(t *testing.T) {
	b := serving(t, echo{})
	long := (&frame{id: 1, kind: kindConfirm}).append(nil)
	binary.BigEndian.PutUint16(long[headBytes-2:], maxBody+1)
	for name, bytes := range map[string][]byte{
		"longer than any may be":                long,
		"of an unknown kind":                    (&frame{id: 1, kind: 99}).append(nil),
		"a short question":                      (&frame{id: 1, kind: kindConfirm, body: make([]byte, questionBytes-1)}).append(nil),
		"a long question":                       (&frame{id: 1, kind: kindConfirm, body: make([]byte, questionBytes+1)}).append(nil),
		"a question for a proof without a term": (&frame{id: 1, kind: kindProve}).append(nil),
	} {
		c := raw(t, b)
		if _, err := c.Write(bytes); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := c.Read(make([]byte, 1)); n > 0 || errors.Is(err, context.DeadlineExceeded) || err == nil {
			t.Errorf("%s: read %d bytes, %v", name, n, err)
		} else if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			t.Errorf("%s: the connection is still open", name)
		}
	}
	// The most that may be is read whole.
	most := frame{id: 1, kind: kindProve, body: make([]byte, maxBody)}
	r, w := net.Pipe()
	go func() { _, _ = w.Write(most.append(nil)); _ = w.Close() }()
	if got, err := readFrame(r); err != nil || len(got.body) != maxBody {
		t.Errorf("a frame of %d bytes: %d, %v", maxBody, len(got.body), err)
	}
	if _, err := readFrame(r); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

// TestAnAnswerOfAnotherLengthIsAnError for the caller.
func TestAnAnswerOfAnotherLengthIsAnError(t *testing.T) {
	for _, n := range []int{0, answerBytes - 1, answerBytes + 1} {
		if _, err := parseAnswer(make([]byte, n)); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("an answer of %d bytes: %v", n, err)
		}
	}
	short := make([]byte, proofBytes+1)
	short[proofBytes] = 9
	for _, b := range [][]byte{nil, make([]byte, proofBytes), short} {
		if _, err := parseProof(b); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("a proof of %d bytes: %v", len(b), err)
		}
	}
}

// TestNobodyListensIsAnErrorAtOnce.
func TestNobodyListensIsAnErrorAtOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := listener.Addr().String()
	_ = listener.Close()
	a := start(t, "c1", "a")
	if _, err := a.Prove(t.Context(), raft.Server{ID: "b", Address: Address("b", gone)}, 1); err == nil {
		t.Error("a proof of nobody")
	}
}
