package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// leads makes n the node that answers Status, and writes as it is told.
func leads(n *node, at candor.Token) *node {
	n.on("Status", n.statuses(at, n))
	n.on("Create", n.writes(at))
	return n
}

func created(c *call) *candorv1.CreateRequest { return c.in.(*candorv1.CreateRequest) }

// lost takes the request and drops the connection's stream without an answer.
func lost(*call) error { return status.Error(codes.Unavailable, "connection reset") }

func TestAWriteIsNamedTimedAndSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := leads(s.node("n1"), token(5))
		c := s.client([]string{"n1"})
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		result, err := c.Create(ctx, deployment(), client.WithReason("SCALE", "more load"),
			client.WithReadToken(token(3)), client.WithBecause(candor.VersionRef{Ref: web, Revision: 4}),
			client.WithExpectedConfiguration(11))
		noError(t, err)
		if result.Token != token(5) || !result.Changed || result.Object.Metadata.Name != "web" || result.Witness.NodeName != "n1" {
			t.Errorf("result %+v", result)
		}
		arrived := n1.arrived("Create")[0]
		if arrived.actor != "ana" {
			t.Errorf("actor %q, want ana", arrived.actor)
		}
		w := created(arrived).GetWrite()
		if len(w.GetRequestId()) != 36 {
			t.Errorf("request ID %q is no UUID", w.GetRequestId())
		}
		// The witness said one hour; the deadline is in 7 s, and there are 5 s of slack.
		if got, want := time.Duration(w.GetNotAfter()), time.Hour+12*time.Second; got != want {
			t.Errorf("not_after %v, want %v", got, want)
		}
		if w.GetReason() != "SCALE" || w.GetMessage() != "more load" || w.GetReadToken().GetIndex() != 3 ||
			w.GetBecause().GetRevision() != 4 || w.GetExpectedConfigurationIndex() != 11 {
			t.Errorf("write options %v", w)
		}
		time.Sleep(time.Minute)
		_, err = c.Create(ctx2(t, 7*time.Second), deployment())
		noError(t, err)
		w = created(n1.arrived("Create")[1]).GetWrite()
		if got, want := time.Duration(w.GetNotAfter()), time.Hour+time.Minute+12*time.Second; got != want {
			t.Errorf("a minute later not_after is %v, want %v", got, want)
		}
		if n := n1.count("Status"); n != 1 {
			t.Errorf("asked for cluster time %d times, want once", n)
		}
	})
}

func ctx2(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestAnUnansweredWriteIsRepeatedUnderTheSameNameAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1", "n2")
		n1, n2 := leads(s.node("n1"), token(5)), leads(s.node("n2"), token(5))
		c := s.client([]string{"n1", "n2"})
		n1.on("Create", lost)
		n2.on("Create", sequence(lost, refuses(&candor.Error{Reason: candor.ReasonOutcomeUnknown}), notLeader(nil, 0), func(c *call) error {
			r := n2.result(token(8))
			r.Replayed = true
			return c.send(&candorv1.CreateResponse{Result: r})
		}))
		result, err := c.Create(t.Context(), deployment())
		noError(t, err)
		if !result.Replayed || result.Token != token(8) {
			t.Errorf("result %+v", result)
		}
		all := append(n1.arrived("Create"), n2.arrived("Create")...)
		if len(all) < 4 {
			t.Fatalf("%d attempts", len(all))
		}
		first := created(all[0]).GetWrite()
		for _, c := range all {
			if w := created(c).GetWrite(); w.GetRequestId() != first.GetRequestId() || w.GetNotAfter() != first.GetNotAfter() {
				t.Errorf("an attempt went by %s until %d, another by %s until %d",
					first.GetRequestId(), first.GetNotAfter(), w.GetRequestId(), w.GetNotAfter())
			}
		}
	})
}

func TestAnUnknownOutcomeNamesTheRequest(t *testing.T) {
	for name, f := range map[string]script{
		"no answer":               lost,
		"silence":                 hangs,
		"the server cannot tell":  refuses(&candor.Error{Reason: candor.ReasonOutcomeUnknown, Message: "in the log"}),
		"made, not shown in time": refuses(&candor.Error{Reason: candor.ReasonRootTokenNotReached, Message: "the view is behind"}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, "n1")
				leads(s.node("n1"), token(5)).on("Create", f)
				c := s.client([]string{"n1"})
				_, err := c.Create(t.Context(), deployment(), client.WithRequestID("r-1"))
				wantReason(t, err, candor.ReasonOutcomeUnknown)
				var e *candor.Error
				if !errors.As(err, &e) || e.Subject != "r-1" || e.Reason.Disposition().Exit != candor.ExitOutcomeUnknown {
					t.Errorf("error %#v, want the request ID as its subject and exit 6", e)
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v does not tell that the deadline passed", err)
				}
			})
		})
	}
}

func TestAWriteThatTheCallerGivesUpIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		leads(s.node("n1"), token(5)).on("Create", hangs)
		c := s.client([]string{"n1"})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := c.Create(ctx, deployment())
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v does not tell that the caller gave up", err)
		}
	})
}

func TestAWriteThatWasRefusedThroughoutIsSurelyNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := leads(s.node("n1"), token(5))
		c := s.client([]string{"n1"})
		n1.on("Create", refuses(&candor.Error{Reason: candor.ReasonQueueSaturated, Message: "full"}))
		_, err := c.Create(t.Context(), deployment())
		wantReason(t, err, candor.ReasonQueueSaturated)
		n1.on("Create", notLeader(nil, 0))
		_, err = c.Create(t.Context(), deployment())
		wantReason(t, err, candor.ReasonNotLeader)
	})
}

// A refusal of a repeat says nothing about the attempt before, unless it names
// a version that is past and cannot come back.
func TestARefusalAfterAnUnansweredAttempt(t *testing.T) {
	for _, row := range []struct {
		name    string
		refusal candor.Reason
		options []client.WriteOption
		want    candor.Reason
	}{
		{"not found", candor.ReasonNotFound, nil, candor.ReasonOutcomeUnknown},
		{"expired", candor.ReasonRequestExpired, nil, candor.ReasonOutcomeUnknown},
		{"conflict without a precondition", candor.ReasonConflict, nil, candor.ReasonOutcomeUnknown},
		{"conflict with one", candor.ReasonConflict, []client.WriteOption{client.WithPreconditions(4, "")}, candor.ReasonConflict},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, "n1")
				n1 := leads(s.node("n1"), token(5))
				n1.on("Update", sequence(lost, refuses(&candor.Error{Reason: row.refusal, Message: "no"})))
				c := s.client([]string{"n1"})
				_, err := c.Update(t.Context(), deployment(), row.options...)
				wantReason(t, err, row.want)
				if !errors.Is(err, &candor.Error{Reason: row.refusal}) {
					t.Errorf("%v does not tell of the refusal", err)
				}
			})
		})
	}
}

func TestAnIdleClustersClockIsLearntFromTheFirstRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := leads(s.node("n1"), token(5))
		late := n1.witness(token(6), n1)
		late.ClusterTime = int64(48 * time.Hour)
		n1.on("Status", sequence(n1.statuses(token(5), n1), func(c *call) error {
			return c.send(&candorv1.StatusResponse{Witness: late})
		}))
		n1.on("Create", sequence(refuses(&candor.Error{Reason: candor.ReasonRequestExpired}), n1.writes(token(7))))
		c := s.client([]string{"n1"})
		_, err := c.Create(t.Context(), deployment())
		noError(t, err)
		calls := n1.arrived("Create")
		if got := time.Duration(created(calls[1]).GetWrite().GetNotAfter()); len(calls) != 2 || got < 48*time.Hour {
			t.Errorf("%d attempts, the last until %v", len(calls), got)
		}
	})
}

func TestAFixedTimeIsNeverStampedAgain(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	n1.on("Create", refuses(&candor.Error{Reason: candor.ReasonRequestExpired}))
	c := s.client([]string{"n1"})
	_, err := c.Create(t.Context(), deployment(), client.WithRequestID("r"), client.WithNotAfter(77))
	wantReason(t, err, candor.ReasonRequestExpired)
	if n := n1.count("Create"); n != 1 || created(n1.arrived("Create")[0]).GetWrite().GetNotAfter() != 77 {
		t.Errorf("%d attempts", n)
	}
	if n1.count("Status") != 0 {
		t.Error("asked for cluster time without need")
	}
}

func TestAnExpiredRequestIsNotStampedForEver(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	n1.on("Create", refuses(&candor.Error{Reason: candor.ReasonRequestExpired}))
	c := s.client([]string{"n1"})
	_, err := c.Create(t.Context(), deployment())
	wantReason(t, err, candor.ReasonRequestExpired)
	if n := n1.count("Create"); n > 2 {
		t.Errorf("%d attempts", n)
	}
}

func TestWhatCannotBeSentIsRefusedAtOnce(t *testing.T) {
	s := newStage(t, "n1")
	leads(s.node("n1"), token(5))
	c := s.client([]string{"n1"})
	bad := deployment()
	bad.Metadata.Labels = map[string]string{"a": "\xff"}
	_, err := c.Create(t.Context(), bad)
	wantReason(t, err, candor.ReasonInvalid)
	big := deployment()
	big.Spec = []byte(strings.Repeat(" ", 9<<20))
	_, err = c.Create(t.Context(), big)
	wantReason(t, err, candor.ReasonTurnTooLarge)
	_, err = c.Create(t.Context(), nil)
	wantReason(t, err, candor.ReasonInvalid)
}

func TestAnAnswerTooLargeToReceiveLeavesAWriteUnknown(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	n1.on("Create", func(c *call) error {
		r := n1.result(token(6))
		r.Object.Spec = make([]byte, 9<<20)
		return c.send(&candorv1.CreateResponse{Result: r})
	})
	c := s.client([]string{"n1"})
	_, err := c.Create(t.Context(), deployment())
	wantReason(t, err, candor.ReasonOutcomeUnknown)
}

func TestOptionsThatWouldBeIgnoredAreRefused(t *testing.T) {
	s := newStage(t, "n1")
	leads(s.node("n1"), token(5))
	c := s.client([]string{"n1"})
	for name, do := range map[string]func() error{
		"preconditions of a create": func() error {
			_, err := c.Create(t.Context(), deployment(), client.WithPreconditions(3, ""))
			return err
		},
		"propagation of an update": func() error {
			_, err := c.Update(t.Context(), deployment(), client.WithPropagation(candor.PropagateOrphan))
			return err
		},
		"unknown propagation": func() error {
			_, err := c.Delete(t.Context(), web, client.WithPropagation("SIDEWAYS"))
			return err
		},
		"unknown patch type": func() error { _, err := c.Patch(t.Context(), web, 0, nil); return err },
		"long request ID": func() error {
			_, err := c.Delete(t.Context(), web, client.WithRequestID(strings.Repeat("r", 65)))
			return err
		},
		"request ID of one operation": func() error {
			_, err := c.Txn().Then(client.OpDelete(web, client.WithRequestID("r"))).Commit(t.Context())
			return err
		},
		"unknown freshness": func() error {
			_, _, err := c.Get(t.Context(), web, client.WithFreshness("FRESH"))
			return err
		},
	} {
		if err := do(); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: got %v, want INVALID", name, err)
		}
	}
}

func TestADryRunCarriesNoRequestID(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	c := s.client([]string{"n1"})
	_, err := c.Create(t.Context(), deployment(), client.WithDryRun())
	noError(t, err)
	if w := created(n1.arrived("Create")[0]).GetWrite(); !w.GetDryRun() || w.GetRequestId() != "" || w.GetNotAfter() != 0 {
		t.Errorf("write options %v", w)
	}
}

func TestAnUnansweredChangeOfMembershipIsNotRepeated(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	n1.on("Remove", lost)
	c := s.client([]string{"n1"})
	_, err := c.Cluster().Remove(t.Context(), "n3", client.RemoveOptions{})
	wantReason(t, err, candor.ReasonOutcomeUnknown)
	if n := n1.count("Remove"); n != 1 {
		t.Errorf("%d attempts, want one", n)
	}
	n1.on("Remove", sequence(notLeader(nil, 0), func(c *call) error {
		return c.send(&candorv1.RemoveResponse{ConfigurationIndex: 9, Witness: n1.witness(token(6), n1)})
	}))
	removed, err := c.Cluster().Remove(t.Context(), "n3", client.RemoveOptions{})
	noError(t, err)
	if removed.ConfigurationIndex != 9 {
		t.Errorf("configuration %d, want 9", removed.ConfigurationIndex)
	}
}

// The connection itself goes away under a write, as it does when a leader is
// killed.
func TestAWriteSurvivesTheDeathOfItsNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1", "n2")
		n1, n2 := leads(s.node("n1"), token(5)), leads(s.node("n2"), candor.Token{Term: 2, Index: 8, Revision: 8})
		c := s.client([]string{"n1", "n2"})
		_, err := c.Cluster().Status(t.Context(), client.OnEndpoint("n1:1"))
		noError(t, err)
		n1.on("Create", func(c *call) error {
			go n1.stop()
			return hangs(c)
		})
		start := time.Now()
		result, err := c.Create(t.Context(), deployment())
		noError(t, err)
		if result.Witness.NodeName != "n2" || time.Since(start) > 300*time.Millisecond {
			t.Errorf("made by %s after %v", result.Witness.NodeName, time.Since(start))
		}
		first, second := created(n1.arrived("Create")[0]), created(n2.arrived("Create")[0])
		if first.GetWrite().GetRequestId() != second.GetWrite().GetRequestId() {
			t.Error("the repeat went by another name")
		}
	})
}
