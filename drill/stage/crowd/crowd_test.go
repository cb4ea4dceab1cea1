package crowd

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/candor-plane/candor"
)

// TestAStormEndsWithAllThatItBegan, and needs somebody to befall.
func TestAStormEndsWithAllThatItBegan(t *testing.T) {
	var held sync.WaitGroup
	var there atomic.Int64
	c := &Crowd{Context: t.Context(), Dial: func(context.Context, string) (net.Conn, error) {
		near, far := net.Pipe()
		there.Add(1)
		held.Go(func() {
			_, _ = io.Copy(io.Discard, far)
			_ = far.Close()
			there.Add(-1)
		})
		return near, nil
	}}
	bite, end, err := c.Storm(t.Context(), 20, []string{"n1", "n2"})
	if err != nil {
		t.Fatal(err)
	}
	if seen := bite().Seen; seen != 20 {
		t.Errorf("%d connections, want 20", seen)
	}
	if err := end(t.Context()); err != nil {
		t.Error(err)
	}
	held.Wait()
	if n := there.Load(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	for name, nobody := range map[string]func() error{
		"storm":     func() error { _, _, err := c.Storm(t.Context(), 1, nil); return err },
		"sleepers":  func() error { _, _, err := c.Sleep(t.Context(), 1, nil); return err },
		"malformed": func() error { _, err := c.Malformed(t.Context(), 1, nil); return err },
	} {
		if err := nobody(); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s of nobody: %v", name, err)
		}
	}
}
