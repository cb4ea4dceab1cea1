package client_test

import (
	"errors"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
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
		"class served not told": {func(w *candorv1.Witness) { w.ServedFreshness = 0 }, ""},
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
		Witness: &candor.Witness{NodeName: "n1", ServedToken: token(5)},
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
		w := n1.witness(token(5), nil)
		w.RequestedFreshness, w.ServedFreshness = candorv1.Freshness_FRESHNESS_BOUNDED, candorv1.Freshness_FRESHNESS_BOUNDED
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
