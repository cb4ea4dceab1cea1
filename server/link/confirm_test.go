package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

func at(l *Layer, id string) raft.Server {
	return raft.Server{ID: raft.ServerID(id), Address: Address(id, l.config.Listener.Addr().String())}
}

func TestQuestionsOfManyGetTheirOwnAnswers(t *testing.T) {
	a, b := start(t, "c1", "a"), start(t, "c1", "b")
	var wait sync.WaitGroup
	for i := range uint64(64) {
		wait.Go(func() {
			for n := range uint64(20) {
				q := Question{Term: i, Nonce: n, Audit: i * n}
				got, err := a.Ask(t.Context(), at(b, "b"), q)
				if want := (echo{}).Confirm(q); err != nil || got != want {
					t.Errorf("%+v was answered %+v, %v; want %+v", q, got, err, want)
					return
				}
			}
		})
	}
	wait.Wait()
}

func TestAProofArrivesAsItWasGiven(t *testing.T) {
	a, b := start(t, "c1", "a"), start(t, "c1", "b")
	got, err := a.Prove(t.Context(), at(b, "b"), 9)
	if want := (echo{}).Prove(t.Context(), "a", 9); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestAServerThatWasWipedConfirmsNothing(t *testing.T) {
	a, b := start(t, "c1", "a"), start(t, "c1", "b")
	_, err := a.Ask(t.Context(), at(b, "b-before-it-was-wiped"), Question{})
	if candor.ReasonOf(err) != candor.ReasonClusterMismatch {
		t.Errorf("asked a server that is gone: %v", err)
	}
}

// A peer that takes questions and never answers costs each caller its deadline,
// and the next question goes over a new connection.
func TestSilenceEndsTheConnectionAtTheDeadline(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{}, 8)
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			accepted <- struct{}{}
			wait.Go(func() {
				defer c.Close()
				var h hello
				if readLine(c, &h) == nil {
					_, _ = c.Write([]byte("{}\n"))
				}
				_, _ = io.Copy(io.Discard, c)
			})
		}
	})
	a := start(t, "c1", "a")
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := a.Ask(ctx, raft.Server{ID: "b", Address: Address("b", silent.Addr().String())}, Question{})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("asked a silent server: %v", err)
		}
		<-accepted
	}
	_ = silent.Close()
	_ = a.Close()
	wait.Wait()
}

func TestABrokenConnectionIsReplaced(t *testing.T) {
	a, b := start(t, "c1", "a"), start(t, "c1", "b")
	for i := range 3 {
		if _, err := a.Ask(t.Context(), at(b, "b"), Question{}); err != nil {
			t.Fatalf("question %d: %v", i, err)
		}
		b.mu.Lock()
		for c := range b.serving {
			_ = c.Close()
		}
		b.mu.Unlock()
		for a.askers["b"].current() != nil {
			time.Sleep(time.Millisecond)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ask(t.Context(), at(b, "b"), Question{}); candor.ReasonOf(err) != candor.ReasonShuttingDown {
		t.Errorf("asked by a layer that is closed: %v", err)
	}
}

func FuzzFrames(f *testing.F) {
	first := frame{id: 7, kind: kindConfirm, body: (&Answer{Term: 1, Nonce: 2}).append(nil)}
	f.Add(first.append(nil))
	proof := echo{}.Prove(f.Context(), "a", 9)
	second := frame{id: 8, kind: kindProve, body: proof.append(nil)}
	f.Add(second.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readFrame(bytes.NewReader(data))
		if err != nil {
			return
		}
		if again := got.append(nil); string(again) != string(data[:len(again)]) {
			t.Errorf("read %+v from %x, which is written as %x", got, data, again)
		}
		if a, err := parseAnswer(got.body); err == nil && string(a.append(nil)) != string(got.body) {
			t.Errorf("answer %+v is not %x", a, got.body)
		}
		if p, err := parseProof(got.body); err == nil && string(p.append(nil)) != string(got.body) {
			t.Errorf("proof %+v is not %x", p, got.body)
		}
		if q, err := parseQuestion(got.body); err == nil && string(q.append(nil)) != string(got.body) {
			t.Errorf("question %+v is not %x", q, got.body)
		}
	})
}
