package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/rpc/convert"
)

// What follows from a refusal is decided by its retry class alone.
func TestRefusalsAreFollowedByTheirRetryClass(t *testing.T) {
	for _, row := range []struct {
		reason candor.Reason
		// attempts at n1, the leader, and at n2, within two seconds; -1 for "more than one".
		leader, other int
	}{
		{candor.ReasonNotFound, 1, 0},
		{candor.ReasonInvalid, 1, 0},
		{candor.ReasonForbidden, 1, 0},
		{candor.ReasonHistoryMismatch, 1, 0},
		{"A_REASON_OF_NEXT_YEAR", 1, 0},
		{candor.ReasonQueueSaturated, -1, 0},
		{candor.ReasonTimedOut, -1, 0},
		{candor.ReasonShuttingDown, -1, -1},
		{candor.ReasonViewOnly, -1, -1},
		{candor.ReasonRootUnavailable, -1, -1},
		{candor.ReasonRootTokenNotReached, -1, -1},
		{candor.ReasonLeadershipUnconfirmed, -1, -1},
	} {
		t.Run(string(row.reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, "n1", "n2")
				n1, n2 := s.node("n1"), s.node("n2")
				n1.on("Status", n1.statuses(token(1), n1))
				c := s.client([]string{"n1", "n2"})
				_, err := c.Cluster().Status(t.Context(), client.OnEndpoint("n1:1"))
				noError(t, err)
				no := &candor.Error{Reason: row.reason, Message: "no", Witness: convert.WitnessFromProto(n1.witness(token(1), n1))}
				n1.on("Get", refuses(no))
				n2.on("Get", refuses(no))
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				_, _, err = c.Get(ctx, web)
				wantReason(t, err, row.reason)
				check := func(name string, got, want int) {
					if want >= 0 && got != want || want < 0 && (got < 2 || got > 60) {
						t.Errorf("%s was asked %d times, want %d (-1: several)", name, got, want)
					}
				}
				check("the leader", n1.count("Get"), row.leader)
				check("the other node", n2.count("Get"), row.other)
				if repeated := row.leader < 0; repeated != errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v: the deadline must be among the causes just if it was reached", err)
				}
			})
		})
	}
}

func TestTheServersHintHowLongToWaitIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := s.node("n1")
		saturated := &candor.Error{Reason: candor.ReasonQueueSaturated, RetryAfter: 4 * time.Second}
		n1.on("Get", sequence(refuses(saturated), n1.gets(token(5), n1)))
		c := s.client([]string{"n1"})
		start := time.Now()
		_, _, err := c.Get(t.Context(), web)
		noError(t, err)
		if took := time.Since(start); took < 4*time.Second {
			t.Errorf("asked again after %v, want 4 s", took)
		}
	})
}

func TestAWaitPastTheDeadlineIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		s.node("n1").on("Get", refuses(&candor.Error{Reason: candor.ReasonQueueSaturated, RetryAfter: time.Minute}))
		c := s.client([]string{"n1"})
		start := time.Now()
		_, _, err := c.Get(t.Context(), web)
		wantReason(t, err, candor.ReasonQueueSaturated)
		if took := time.Since(start); took > time.Second {
			t.Errorf("returned after %v", took)
		}
	})
}

func TestANodeThatHangsDoesNotUseUpTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1", "n2")
		n1, n2 := s.node("n1"), s.node("n2")
		n1.on("Status", n1.statuses(token(1), n1))
		n2.on("Get", n2.gets(candor.Token{Term: 2, Index: 7, Revision: 7}, n2))
		n1.on("Get", hangs)
		c := s.client([]string{"n1", "n2"})
		_, err := c.Cluster().Status(t.Context(), client.OnEndpoint("n1:1"))
		noError(t, err)
		start := time.Now()
		_, w, err := c.Get(t.Context(), web)
		noError(t, err)
		if took := time.Since(start); w.NodeName != "n2" || took > client.DefaultAttemptTimeout+100*time.Millisecond {
			t.Errorf("served by %s after %v", w.NodeName, took)
		}
		start = time.Now()
		_, _, err = c.Get(t.Context(), web)
		noError(t, err)
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("the next call took %v: it went to the node that hangs", took)
		}
	})
}

func TestAClusterThatIsDownIsUnavailableAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		s.each(func(n *node) { n.stop() })
		c := s.client(three, func(cfg *client.Config) { cfg.Timeout = 2 * time.Second })
		for name, do := range map[string]func() error{
			"read":   func() error { _, _, err := c.Get(t.Context(), web); return err },
			"write":  func() error { _, err := c.Create(t.Context(), deployment()); return err },
			"change": func() error { _, err := c.Cluster().Promote(t.Context(), "n2", 0); return err },
			"watch": func() error {
				_, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind})
				return err
			},
			"snapshot": func() error {
				_, err := c.Cluster().Snapshot(t.Context(), discard{}, nil)
				return err
			},
		} {
			start := time.Now()
			err := do()
			if got := candor.ReasonOf(err); got != candor.ReasonUnavailable || got.Disposition().Exit != candor.ExitUnavailable {
				t.Errorf("%s: got %v, want UNAVAILABLE: surely not done", name, err)
			}
			if took := time.Since(start); took < 2*time.Second || took > 2500*time.Millisecond {
				t.Errorf("%s: gave up after %v, want the client's timeout of 2 s", name, took)
			}
		}
	})
}

// Of a node that refuses and others that cannot be reached, the word of the one
// that answers says more: it is the reason, whichever was asked last.
func TestAServersWordOutweighsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		n1 := s.node("n1")
		n1.on("Get", n1.cutOff(token(5), candor.ReasonRootUnavailable))
		s.node("n2").stop()
		s.node("n3").stop()
		c := s.client(three)
		for i := range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second+time.Duration(i)*7*time.Millisecond)
			_, w, err := c.Get(ctx, web, client.WithFreshness(candor.FreshnessBounded))
			cancel()
			wantReason(t, err, candor.ReasonRootUnavailable)
			if w.NodeName != "n1" || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("witness of %q with %v", w.NodeName, err)
			}
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestACallerThatGivesUpGetsCanceledAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		s.node("n1").on("Get", refuses(&candor.Error{Reason: candor.ReasonQueueSaturated}))
		c := s.client([]string{"n1"})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, _, err := c.Get(ctx, web)
		wantReason(t, err, candor.ReasonCanceled)
		if !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestAClosedClientRefuses(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	c := s.client([]string{"n1"})
	entered := make(chan struct{})
	n1.on("Get", func(c *call) error { close(entered); return hangs(c) })
	failed := make(chan error)
	go func() {
		_, _, err := c.Get(t.Context(), web)
		failed <- err
	}()
	<-entered
	noError(t, c.Close())
	wantReason(t, <-failed, candor.ReasonCanceled)
	_, _, err := c.Get(t.Context(), web)
	wantReason(t, err, candor.ReasonCanceled)
	_, err = c.Create(t.Context(), deployment())
	wantReason(t, err, candor.ReasonCanceled)
	noError(t, c.Close())
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	for name, cfg := range map[string]client.Config{
		"no endpoint":          {},
		"no port":              {Endpoints: []string{"localhost"}},
		"empty endpoint":       {Endpoints: []string{""}},
		"negative timeout":     {Endpoints: []string{"a:1"}, Timeout: -1},
		"negative connections": {Endpoints: []string{"a:1"}, Connections: -1},
		"actor too long":       {Endpoints: []string{"a:1"}, Actor: string(make([]byte, 300))},
		"actor not printable":  {Endpoints: []string{"a:1"}, Actor: "a\nb"},
	} {
		_, err := client.New(cfg)
		if candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: got %v, want INVALID", name, err)
		}
	}
}
