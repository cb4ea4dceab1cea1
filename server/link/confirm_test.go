package link

import (
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
				q := Question{Term: i, Nonce: n, From: n % 9}
				got, err := a.Ask(t.Context(), at(b, "b"), q)
				if err != nil || got.Term != i+1 || got.Nonce != n || len(got.Digests) != int(q.From) {
					t.Errorf("%+v was answered %+v, %v", q, got, err)
					return
				}
				if last := len(got.Digests) - 1; last >= 0 && (got.Digests[last].Index != q.From || got.Digests[last].Digest[0] != byte(last)) {
					t.Errorf("%+v was answered with digests %+v", q, got.Digests)
				}
			}
		})
	}
	wait.Wait()
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

func FuzzReadAnswer(f *testing.F) {
	f.Add(appendAnswer(nil, 7, &Answer{Term: 1, Nonce: 2}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, w := io.Pipe()
		go func() {
			_, _ = w.Write(data)
			_ = w.Close()
		}()
		defer r.Close()
		id, answer, err := readAnswer(r)
		if err != nil {
			return
		}
		again := appendAnswer(nil, id, &answer)
		if string(again) != string(data[:len(again)]) {
			t.Errorf("read %+v from %x, which is written as %x", answer, data, again)
		}
	})
}
