package client_test

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// An answer that is not what was asked for is an error, whatever it says.
func TestAnswersThatBreakTheirPromiseAreRefused(t *testing.T) {
	for name, row := range map[string]struct {
		change func(w *candorv1.Witness)
		want   candor.Reason
	}{
		"as asked":              {func(*candorv1.Witness) {}, ""},
		"another class echoed":  {func(w *candorv1.Witness) { w.RequestedFreshness = candorv1.Freshness_FRESHNESS_BOUNDED }, candor.ReasonInvariantViolated},
		"no class echoed":       {func(w *candorv1.Witness) { w.RequestedFreshness = 0 }, candor.ReasonInvariantViolated},
		"silent downgrade":      {func(w *candorv1.Witness) { w.ServedFreshness = candorv1.Freshness_FRESHNESS_BEST_EFFORT }, candor.ReasonInvariantViolated},
		"below what is known":   {func(w *candorv1.Witness) { w.ServedRootToken = &candorv1.RootToken{Term: 1, Index: 4, Revision: 4} }, candor.ReasonTokenConflict},
		"below in revision":     {func(w *candorv1.Witness) { w.ServedRootToken.Revision = 4 }, candor.ReasonTokenConflict},
		"one index, two terms":  {func(w *candorv1.Witness) { w.ServedRootToken.Term = 2 }, candor.ReasonTokenConflict},
		"another history":       {func(w *candorv1.Witness) { w.HistoryId = "h2" }, candor.ReasonHistoryMismatch},
		"another cluster":       {func(w *candorv1.Witness) { w.ClusterId = "c2" }, candor.ReasonHistoryMismatch},
		"ahead, as time goes":   {func(w *candorv1.Witness) { w.ServedRootToken = &candorv1.RootToken{Term: 3, Index: 50, Revision: 40} }, ""},
		"class served not told": {func(w *candorv1.Witness) { w.ServedFreshness = 0 }, candor.ReasonInvariantViolated},
		"no read index":         {func(w *candorv1.Witness) { w.Mechanism = candorv1.Mechanism_MECHANISM_VIEW }, candor.ReasonInvariantViolated},
		"of a follower unasked": {func(w *candorv1.Witness) { w.ServedByLeader = false }, candor.ReasonInvariantViolated},
		"not to be relied on":   {func(w *candorv1.Witness) { w.DegradedMode = candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY }, candor.ReasonInvariantViolated},
		"of nobody":             {func(w *candorv1.Witness) { w.NodeId = "" }, candor.ReasonInvariantViolated},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, "n1")
			n1 := s.node("n1")
			c := s.client([]string{"n1"})
			n1.on("Get", n1.gets(token(5), n1))
			_, _, err := c.Get(t.Context(), web)
			noError(t, err)
			n1.on("Get", func(c *call) error {
				w := n1.witness(token(5), n1)
				row.change(w)
				return c.send(&candorv1.GetResponse{Object: webObject(5), Witness: w})
			})
			o, _, err := c.Get(t.Context(), web)
			wantReason(t, err, row.want)
			if (err == nil) != (o != nil) {
				t.Errorf("object %v and error %v", o, err)
			}
		})
	}
}

func TestAnAnswerWithoutAWitnessIsRefused(t *testing.T) {
	s := newStage(t, "n1")
	s.node("n1").on("Get", func(c *call) error { return c.send(&candorv1.GetResponse{Object: webObject(5)}) })
	c := s.client([]string{"n1"})
	_, _, err := c.Get(t.Context(), web)
	wantReason(t, err, candor.ReasonInvariantViolated)
}

func TestANodeMustNotGoBackWithinOneBoot(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	c := s.client([]string{"n1"})
	read := func(at candor.Token, boot string) error {
		n1.on("Get", func(c *call) error {
			w := n1.witness(at, n1)
			w.BootId = boot
			return c.send(&candorv1.GetResponse{Object: webObject(5), Witness: w})
		})
		_, _, err := c.Get(t.Context(), web, client.WithoutSession())
		return err
	}
	noError(t, read(token(9), "boot-1"))
	wantReason(t, read(token(8), "boot-1"), candor.ReasonTokenConflict)
	noError(t, read(token(3), "boot-2")) // it started again
	noError(t, read(token(4), "boot-2"))
	wantReason(t, read(token(3), "boot-2"), candor.ReasonTokenConflict)
}

// Answers that overtake one another on their way are no step back.
func TestOvertakingAnswersAreNoStepBack(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	c := s.client([]string{"n1"})
	n1.on("Get", n1.gets(token(5), n1))
	_, _, err := c.Get(t.Context(), web)
	noError(t, err)
	slow, release := make(chan struct{}), make(chan struct{})
	n1.on("Get", sequence(func(call *call) error {
		close(slow)
		<-release
		return n1.gets(token(6), n1)(call)
	}, n1.gets(token(9), n1)))
	done := make(chan error)
	go func() {
		_, _, err := c.Get(t.Context(), web)
		done <- err
	}()
	<-slow
	_, _, err = c.Get(t.Context(), web)
	noError(t, err)
	close(release)
	noError(t, <-done)
}

func TestARefusedReadTellsTheWitness(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	n1.on("Get", refuses(&candor.Error{
		Reason: candor.ReasonNotFound, Message: "no such deployment", Subject: web.String(),
		Witness: convert.WitnessFromProto(n1.witness(token(5), n1)),
	}))
	c := s.client([]string{"n1"})
	_, w, err := c.Get(t.Context(), web)
	wantReason(t, err, candor.ReasonNotFound)
	if w.NodeName != "n1" || w.ServedToken != token(5) {
		t.Errorf("witness %+v", w)
	}
	if got, want := err.Error(), "get deployments/default/web: no such deployment (NOT_FOUND)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAWriteIsToldAsMadeEvenIfItsWitnessIsRefused(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	n1.on("Create", func(c *call) error {
		r := n1.result(token(8))
		r.Witness.HistoryId = "h2"
		return c.send(&candorv1.CreateResponse{Result: r})
	})
	c := s.client([]string{"n1"})
	result, err := c.Create(t.Context(), deployment())
	wantReason(t, err, candor.ReasonHistoryMismatch)
	if result.Token != token(8) || !result.Changed {
		t.Errorf("result %+v", result)
	}
}

func TestReadOptionsReachTheWire(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	n1.on("Get", func(c *call) error {
		w := n1.weaker(candorv1.Freshness_FRESHNESS_BOUNDED, token(5))
		w.StalenessBound = durationpb.New(1500)
		return c.send(&candorv1.GetResponse{Object: webObject(5), Witness: w})
	})
	c := s.client([]string{"n1"})
	_, _, err := c.Get(t.Context(), web, client.WithFreshness(candor.FreshnessBounded), client.WithMaxLag(0),
		client.WithMaxStaleness(1500), client.WithFollowerReadIndex(), client.AtRevision(77))
	noError(t, err)
	read := n1.arrived("Get")[0].in.(*candorv1.GetRequest).GetRead()
	if read.MaxRootLag == nil || read.GetMaxRootLag() != 0 || read.GetMaxStaleness().AsDuration() != 1500 ||
		!read.GetAllowFollowerReadIndex() || read.GetAtRevision() != 77 || read.GetFreshness() != candorv1.Freshness_FRESHNESS_BOUNDED {
		t.Errorf("read options %v", read)
	}
	var e *candor.Error
	n1.on("Get", refuses(&candor.Error{Reason: candor.ReasonCompacted, Revision: 500}))
	_, _, err = c.Get(t.Context(), web, client.AtRevision(7))
	if !errors.As(err, &e) || e.Reason != candor.ReasonCompacted || e.Revision != 500 {
		t.Errorf("got %v, want COMPACTED with the floor", err)
	}
}

// The error tells a program what was broken, where and by which answer, however
// often it was wrapped.
func TestABrokenPromiseIsAWitnessError(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	c := s.client([]string{"n1"})
	for field, row := range map[string]struct {
		options []client.ReadOption
		change  func(w *candorv1.Witness)
		want    string
		got     string
	}{
		"servedFreshness": {nil, func(w *candorv1.Witness) { w.ServedFreshness = candorv1.Freshness_FRESHNESS_BOUNDED }, "STRONG", "BOUNDED"},
		"servedByLeader":  {nil, func(w *candorv1.Witness) { w.ServedByLeader = false }, "true", "false"},
		"mechanism":       {nil, func(w *candorv1.Witness) { w.Mechanism = 0 }, "a read index", ""},
		"servingClass": {nil, func(w *candorv1.Witness) { w.ServingClass = candorv1.ServingClass_SERVING_CLASS_DEGRADED },
			"AUTHORITATIVE", "DEGRADED"},
		"degradedMode": {nil, func(w *candorv1.Witness) { w.DegradedMode = candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY },
			"none that refuses STRONG", "VIEW_ONLY"},
		"catchUpState": {nil, func(w *candorv1.Witness) { w.CatchUpState = candorv1.CatchUpState_CATCH_UP_STATE_RECOVERING },
			"none that refuses STRONG", "RECOVERING"},
		"servedRootToken": {[]client.ReadOption{client.WithRequiredToken(token(8))}, func(*candorv1.Witness) {}, "at least 1:8/8", "1:5/5"},
		"stalenessBound": {[]client.ReadOption{client.WithFreshness(candor.FreshnessBounded), client.WithMaxStaleness(time.Millisecond)},
			func(w *candorv1.Witness) { w.StalenessBound = durationpb.New(time.Second) }, "at most 1ms", "1s"},
		"rootLag": {[]client.ReadOption{client.WithFreshness(candor.FreshnessBounded), client.WithMaxLag(3)},
			func(w *candorv1.Witness) { w.RootLag = nil }, "at most 3", ""},
		"clusterID": {nil, func(w *candorv1.Witness) { w.ClusterId = "c2" }, "c1, which the session is of: start a new session", "c2"},
		"historyID": {nil, func(w *candorv1.Witness) { w.HistoryId = "h2" }, "h1, which the session is of: start a new session", "h2"},
	} {
		t.Run(field, func(t *testing.T) {
			n1.on("Get", func(c *call) error {
				w := n1.witness(token(5), n1)
				if class := freshnessOf(c); class != candorv1.Freshness_FRESHNESS_STRONG {
					w = n1.weaker(class, token(5))
				}
				row.change(w)
				return c.send(&candorv1.GetResponse{Object: webObject(5), Witness: w})
			})
			noError(t, c.Session().Observe(served(token(5))))
			object, w, err := c.Get(t.Context(), web, row.options...)
			breach, ok := errors.AsType[*client.WitnessError](err)
			if !ok || object != nil {
				t.Fatalf("got %v and %v, want a *WitnessError alone", object, err)
			}
			if breach.Field != field || breach.Want != row.want || breach.Got != row.got || breach.Node != "n1" {
				t.Errorf("got %+v, want %s: %q instead of %q", breach, field, row.got, row.want)
			}
			if breach.Witness.NodeID != "n1-id" || w.NodeID != "n1-id" {
				t.Error("the witness does not come with it")
			}
			want := candor.ReasonInvariantViolated
			switch field {
			case "servedRootToken":
				want = candor.ReasonTokenConflict
			case "clusterID", "historyID":
				want = candor.ReasonHistoryMismatch
			}
			wantReason(t, err, want)
		})
	}
}

// That there is no such object is an answer, and must be as fresh as any other:
// a read right after an acknowledged write must not find nothing.
func TestThatNothingIsThereMustBeProvenToo(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	n1.on("Create", n1.writes(token(8)))
	c := s.client([]string{"n1"})
	_, err := c.Create(t.Context(), deployment())
	noError(t, err)
	for name, w := range map[string]*candor.Witness{
		"of before the write": convert.WitnessFromProto(n1.witness(token(7), n1)),
		"of a weaker class":   convert.WitnessFromProto(n1.weaker(candorv1.Freshness_FRESHNESS_BEST_EFFORT, token(8))),
		"of nobody":           nil,
	} {
		n1.on("Get", refuses(&candor.Error{Reason: candor.ReasonNotFound, Witness: w}))
		_, _, err := c.Get(t.Context(), web)
		if _, ok := errors.AsType[*client.WitnessError](err); !ok {
			t.Errorf("%s: %v, want a *WitnessError", name, err)
		}
	}
	n1.on("Get", refuses(&candor.Error{Reason: candor.ReasonNotFound, Witness: convert.WitnessFromProto(n1.witness(token(9), n1))}))
	_, _, err = c.Get(t.Context(), web)
	wantReason(t, err, candor.ReasonNotFound)
	if got := c.Session().Token().Token; got != token(9) {
		t.Errorf("the session is at %s after a proven absence at %s", got, token(9))
	}
}

// What a node says of itself unasked is held against the class that it names.
func TestANodesOwnWordIsNoMoreThanItSays(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	c := s.client([]string{"n1"})
	n1.on("Status", func(c *call) error {
		w := n1.ownWord(token(5), nil)
		w.ServingClass = candorv1.ServingClass_SERVING_CLASS_AUTHORITATIVE
		return c.send(&candorv1.StatusResponse{Witness: w})
	})
	_, err := c.Cluster().Status(t.Context())
	if breach, ok := errors.AsType[*client.WitnessError](err); !ok || breach.Field != "servingClass" {
		t.Errorf("got %v, want a *WitnessError of servingClass", err)
	}
	n1.on("Status", n1.statuses(token(5), nil))
	_, err = c.Cluster().Status(t.Context())
	noError(t, err)
}

// No session takes part in a read without it, whether it is answered or refused.
func TestAReadWithoutTheSessionLeavesItAlone(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	c := s.client([]string{"n1"})
	for _, f := range []script{
		n1.gets(token(9), n1),
		refuses(&candor.Error{Reason: candor.ReasonNotFound, Witness: convert.WitnessFromProto(n1.witness(token(9), n1))}),
		refuses(&candor.Error{Reason: candor.ReasonCompacted, Witness: convert.WitnessFromProto(n1.witness(token(9), n1))}),
	} {
		n1.on("Get", f)
		_, _, err := c.Get(t.Context(), web, client.WithoutSession())
		if got := c.Session().Token(); !got.IsZero() {
			t.Errorf("after %v the session is at %s", err, got.Token)
		}
	}
}
