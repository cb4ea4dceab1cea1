package client_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// cutOff answers BEST_EFFORT alone, as a node without a root does.
func (n *node) cutOff(at candor.Token, refusal candor.Reason) script {
	return func(c *call) error {
		w := n.witness(at, nil)
		w.RequestedFreshness, w.ServedFreshness = freshnessOf(c), candorv1.Freshness_FRESHNESS_BEST_EFFORT
		w.ServingClass, w.Mechanism = candorv1.ServingClass_SERVING_CLASS_DEGRADED, candorv1.Mechanism_MECHANISM_VIEW
		w.CatchUpState, w.DegradedMode, w.DegradedReason = 0, candorv1.DegradedMode_DEGRADED_MODE_ROOT_UNAVAILABLE, "NO_PROOF"
		w.RootLag, w.StalenessBound = nil, nil
		if freshnessOf(c) == candorv1.Freshness_FRESHNESS_BEST_EFFORT {
			return c.send(&candorv1.GetResponse{Object: webObject(at.Revision), Witness: w})
		}
		w.ServedFreshness, w.ServingClass, w.Mechanism = 0, 0, 0
		return &candor.Error{Reason: refusal, Message: "no root", Witness: convert.WitnessFromProto(w)}
	}
}

// Where no node has the root, a caller who allowed it gets BEST_EFFORT at once,
// and the witness says so. Nobody else ever does.
func TestStaleIsAcceptedOnlyWhereItWasAllowed(t *testing.T) {
	for _, class := range []candor.Freshness{candor.FreshnessStrong, candor.FreshnessBounded} {
		for _, refusal := range []candor.Reason{candor.ReasonRootUnavailable, candor.ReasonNotLeader} {
			t.Run(string(class)+" "+string(refusal), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStage(t, three...)
					s.each(func(n *node) { n.on("Get", n.cutOff(token(5), refusal)) })
					s.node("n3").stop()
					c := s.client(three)
					start := time.Now()
					_, w, err := c.Get(t.Context(), web, client.WithFreshness(class), client.AcceptStale(), client.WithMaxLag(7))
					noError(t, err)
					if w.Served != candor.FreshnessBestEffort || w.Class != candor.ServingDegraded || w.Mode != candor.ModeRootUnavailable {
						t.Errorf("witness %+v", w)
					}
					if took := time.Since(start); took > 2*time.Second {
						t.Errorf("after %v: it waited although nobody had the root", took)
					}
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
					defer cancel()
					_, _, err = c.Get(ctx, web, client.WithFreshness(class))
					if got := candor.ReasonOf(err); got != refusal && got != candor.ReasonUnavailable {
						t.Errorf("without leave: %v, want %s", err, refusal)
					}
				})
			})
		}
	}
}

// An election is not the loss of the root: it is waited for, but a part of the
// time is kept.
func TestStaleIsAcceptedWhenTheTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, three...)
		s.each(func(n *node) {
			n.on("Get", func(c *call) error {
				if freshnessOf(c) == candorv1.Freshness_FRESHNESS_STRONG {
					return notLeader(nil, 0)(c)
				}
				return n.answers(token(5))(c)
			})
		})
		c := s.client(three)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		_, w, err := c.Get(ctx, web, client.AcceptStale())
		noError(t, err)
		if took := time.Since(start); w.Served != candor.FreshnessBestEffort || took < 19*time.Second || took > 20*time.Second {
			t.Errorf("served %s after %v, want BEST_EFFORT a second before the deadline of 20 s", w.Served, took)
		}
		n2 := s.node("n2")
		time.AfterFunc(5*time.Second, func() {
			n2.on("Get", n2.gets(candor.Token{Term: 3, Index: 9, Revision: 9}, n2))
		})
		_, w, err = c.Get(t.Context(), web, client.AcceptStale())
		noError(t, err)
		if w.Served != candor.FreshnessStrong {
			t.Errorf("served %s although a leader was elected in time", w.Served)
		}
	})
}

// Stale is allowed, going back is not.
func TestAStaleAnswerIsNoOlderThanTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1", "n2")
		n1, n2 := leads(s.node("n1"), token(5)), s.node("n2")
		n2.on("Status", n2.statuses(token(5), n1))
		n1.on("Create", n1.writes(token(8)))
		c := s.client([]string{"n1", "n2"})
		_, err := c.Create(t.Context(), deployment())
		noError(t, err)
		for _, n := range []*node{n1, n2} {
			n.on("Get", n.cutOff(token(5), candor.ReasonRootUnavailable))
		}
		_, _, err = c.Get(t.Context(), web, client.AcceptStale())
		wantReason(t, err, candor.ReasonTokenConflict)
		n2.on("Get", func(c *call) error {
			if index := required(c).Index; freshnessOf(c) == candorv1.Freshness_FRESHNESS_BEST_EFFORT && index != 8 {
				t.Errorf("BEST_EFFORT without the session's token: %d", index)
			}
			return n2.cutOff(token(9), candor.ReasonRootUnavailable)(c)
		})
		n1.on("Get", func(c *call) error {
			if freshnessOf(c) == candorv1.Freshness_FRESHNESS_BEST_EFFORT {
				return &candor.Error{Reason: candor.ReasonRootTokenNotReached}
			}
			return n1.cutOff(token(5), candor.ReasonRootUnavailable)(c)
		})
		_, w, err := c.Get(t.Context(), web, client.AcceptStale())
		noError(t, err)
		if w.NodeName != "n2" || w.ServedToken != token(9) {
			t.Errorf("served by %s at %s", w.NodeName, w.ServedToken)
		}
	})
}

// What no repetition changes is told as it is.
func TestStaleIsNoAnswerToASureRefusal(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	c := s.client([]string{"n1"})
	for _, reason := range []candor.Reason{candor.ReasonCompacted, candor.ReasonForbidden, candor.ReasonUnknownKind} {
		n1.on("Get", refuses(&candor.Error{Reason: reason}))
		before := n1.count("Get")
		_, _, err := c.Get(t.Context(), web, client.AcceptStale())
		wantReason(t, err, reason)
		if asked := n1.count("Get") - before; asked != 1 {
			t.Errorf("%s: asked %d times", reason, asked)
		}
	}
	n1.on("Get", n1.cutOff(token(5), candor.ReasonRootUnavailable))
	for name, options := range map[string][]client.ReadOption{
		"pinned":      {client.OnEndpoint("n1:1"), client.AcceptStale()},
		"best effort": {client.WithFreshness(candor.FreshnessBestEffort), client.AcceptStale()},
	} {
		_, w, err := c.Get(t.Context(), web, options...)
		if err != nil || w.Served != candor.FreshnessBestEffort {
			t.Errorf("%s: %v, witness %+v", name, err, w)
		}
	}
	_, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind, Read: []client.ReadOption{client.AcceptStale()}})
	wantReason(t, err, candor.ReasonInvalid)
}
