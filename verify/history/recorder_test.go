package history_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// stub answers what the test tells it to and remembers nothing.
type stub struct {
	object  *candor.Object
	page    *client.Page
	result  client.Result
	witness candor.Witness
	err     error
	// options is how many reached the last Get.
	options atomic.Int32
}

func (s *stub) Get(_ context.Context, _ candor.Ref, options ...client.ReadOption) (*candor.Object, candor.Witness, error) {
	s.options.Store(int32(len(options)))
	return s.object, s.witness, s.err
}

func (s *stub) List(context.Context, candor.KindName, client.ListOptions, ...client.ReadOption) (*client.Page, error) {
	return s.page, s.err
}

func (s *stub) Create(context.Context, *candor.Object, ...client.WriteOption) (client.Result, error) {
	return s.result, s.err
}

func (s *stub) Update(context.Context, *candor.Object, ...client.WriteOption) (client.Result, error) {
	return s.result, s.err
}

func (s *stub) Delete(context.Context, candor.Ref, ...client.WriteOption) (client.Result, error) {
	return s.result, s.err
}

const widgets = candor.KindName("widgets.example.com")

func widget(value string, version uint64) *candor.Object {
	return &candor.Object{Kind: "Widget", Metadata: candor.Metadata{
		Namespace: "default", Name: "a", Labels: map[string]string{"value": value}, ResourceVersion: version,
	}}
}

func widgetRef() candor.Ref { return candor.Ref{Kind: widgets, Namespace: "default", Name: "a"} }

func at(revision uint64) candor.Witness {
	return candor.Witness{NodeID: "n1", BootID: "b1", ServedToken: candor.Token{Term: 1, Index: revision, Revision: revision}}
}

// TestWhatACallerDoesIsRecordedAsItsClientSawIt: one call, and the operation
// that it becomes.
func TestWhatACallerDoesIsRecordedAsItsClientSawIt(t *testing.T) {
	ctx := t.Context()
	key := "widgets.example.com/default/a"
	refused := candor.Errorf(candor.ReasonNotLeader, "ask another")
	refused.Witness = new(at(4))
	notFound := candor.Errorf(candor.ReasonNotFound, "none")
	notFound.Witness = new(at(5))
	bound := 5 * time.Millisecond
	bounded := history.Ask{Asked: history.Asked{Freshness: candor.FreshnessBounded, MaxStaleness: &bound, MaxLag: new(uint64(3)), Required: at(2).ServedToken}, Sessionless: true}
	for name, c := range map[string]struct {
		stub *stub
		call func(*history.Caller) error
		want history.Operation
	}{
		"a get": {
			&stub{object: widget("1", 2), witness: at(5)},
			func(c *history.Caller) error { _, _, err := c.Get(ctx, widgetRef(), bounded); return err },
			history.Operation{
				Kind: history.KindGet, Asked: &bounded.Asked, Sessionless: true, Outcome: history.OutcomeOK, Token: at(5).ServedToken, Witness: new(at(5)),
				Items: []history.Item{{Key: key, Value: "1", Version: 2}},
			},
		},
		"a get of an older state": {
			&stub{object: widget("1", 2), witness: at(5)},
			func(c *history.Caller) error {
				_, _, err := c.Get(ctx, widgetRef(), history.Ask{AtRevision: 3})
				return err
			},
			history.Operation{
				Kind: history.KindGet, Asked: &history.Asked{}, Outcome: history.OutcomeOK, Token: at(5).ServedToken, At: 3, Witness: new(at(5)),
				Items: []history.Item{{Key: key, Value: "1", Version: 2}},
			},
		},
		"a get of nothing is an answer": {
			&stub{witness: at(5), err: notFound},
			func(c *history.Caller) error {
				_, _, err := c.Get(ctx, widgetRef(), history.Ask{})
				return unless(err, notFound)
			},
			history.Operation{
				Kind: history.KindGet, Asked: &history.Asked{}, Outcome: history.OutcomeOK, Token: at(5).ServedToken, Witness: new(at(5)),
				Items: []history.Item{{Key: key, Absent: true}},
			},
		},
		"a refusal": {
			&stub{err: refused},
			func(c *history.Caller) error {
				_, _, err := c.Get(ctx, widgetRef(), history.Ask{})
				return unless(err, refused)
			},
			history.Operation{
				Kind: history.KindGet, Asked: &history.Asked{}, Outcome: history.OutcomeFailed, Reason: candor.ReasonNotLeader, Witness: new(at(4)),
				Items: []history.Item{{Key: key}},
			},
		},
		"a list": {
			&stub{page: &client.Page{Objects: []*candor.Object{widget("1", 2)}, Revision: 5, Witness: at(5)}},
			func(c *history.Caller) error {
				_, err := c.List(ctx, widgets, client.ListOptions{Namespace: "default"}, history.Ask{})
				return err
			},
			history.Operation{
				Kind: history.KindList, Asked: &history.Asked{}, Outcome: history.OutcomeOK, Token: at(5).ServedToken, Witness: new(at(5)),
				Scope: "widgets.example.com/default/", Items: []history.Item{{Key: key, Value: "1", Version: 2}},
			},
		},
		"a later page is not complete": {
			&stub{page: &client.Page{Objects: []*candor.Object{widget("1", 2)}, Revision: 4, Witness: at(5)}},
			func(c *history.Caller) error {
				_, err := c.List(ctx, widgets, client.ListOptions{Continue: "x"}, history.Ask{})
				return err
			},
			history.Operation{
				Kind: history.KindList, Asked: &history.Asked{}, Outcome: history.OutcomeOK, Token: at(5).ServedToken, At: 4, Witness: new(at(5)),
				Items: []history.Item{{Key: key, Value: "1", Version: 2}},
			},
		},
		"a create": {
			&stub{result: client.Result{Token: at(6).ServedToken, Changed: true, Witness: at(7)}},
			func(c *history.Caller) error { _, err := c.Create(ctx, widgets, widget("1", 0)); return err },
			history.Operation{
				Kind: history.KindCreate, Outcome: history.OutcomeOK, Token: at(6).ServedToken, Witness: new(at(7)),
				Items: []history.Item{{Key: key, Value: "1"}},
			},
		},
		"an update that changes nothing": {
			&stub{result: client.Result{Token: at(6).ServedToken, Witness: at(7)}},
			func(c *history.Caller) error { _, err := c.Update(ctx, widgets, widget("1", 0)); return err },
			history.Operation{
				Kind: history.KindUpdate, Outcome: history.OutcomeOK, Unchanged: true, Token: at(6).ServedToken, Witness: new(at(7)),
				Items: []history.Item{{Key: key, Value: "1"}},
			},
		},
		"a delete": {
			&stub{result: client.Result{Token: at(6).ServedToken, Changed: true, Removed: true, Witness: at(7)}},
			func(c *history.Caller) error { _, err := c.Delete(ctx, widgetRef()); return err },
			history.Operation{
				Kind: history.KindDelete, Outcome: history.OutcomeOK, Token: at(6).ServedToken, Witness: new(at(7)),
				Items: []history.Item{{Key: key, Absent: true}},
			},
		},
		"a delete that has to wait": {
			&stub{result: client.Result{Object: widget("1", 6), Token: at(6).ServedToken, Changed: true, Witness: at(7)}},
			func(c *history.Caller) error { _, err := c.Delete(ctx, widgetRef()); return err },
			history.Operation{
				Kind: history.KindDelete, Outcome: history.OutcomeOK, Token: at(6).ServedToken, Witness: new(at(7)),
				Items: []history.Item{{Key: key, Value: "1", Going: true}},
			},
		},
		"a write without an answer": {
			&stub{err: candor.Errorf(candor.ReasonOutcomeUnknown, "no answer")},
			func(c *history.Caller) error { _, err := c.Delete(ctx, widgetRef()); return unless(err, err) },
			history.Operation{
				Kind: history.KindDelete, Outcome: history.OutcomeUnknown, Reason: candor.ReasonOutcomeUnknown,
				Items: []history.Item{{Key: key, Going: true}},
			},
		},
		"a write that was made, and whose witness was refused": {
			&stub{result: client.Result{Token: at(6).ServedToken, Changed: true, Witness: at(3)}, err: candor.Errorf(candor.ReasonTokenConflict, "backward")},
			func(c *history.Caller) error {
				_, err := c.Create(ctx, widgets, widget("1", 0))
				return unless(err, err)
			},
			history.Operation{
				Kind: history.KindCreate, Outcome: history.OutcomeOK, Token: at(6).ServedToken, Witness: new(at(3)),
				Items: []history.Item{{Key: key, Value: "1"}},
			},
		},
	} {
		r := history.NewRecorder()
		if err := c.call(r.Caller("c", c.stub, history.Label("value"))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := operations(recorded(t, r))
		c.want.Client = "c"
		ignore := cmpopts.IgnoreFields(history.Operation{}, "Invoke", "Return", "InvokeSeq", "ReturnSeq", "Message")
		if diff := cmp.Diff([]history.Operation{c.want}, got, ignore); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if name == "a get" && c.stub.options.Load() != 5 {
			t.Errorf("%s: %d options reached the client, want 5", name, c.stub.options.Load())
		}
	}
}

func unless(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return errors.Join(errors.New("another error"), err)
}

func recorded(t *testing.T, r *history.Recorder) *history.History {
	t.Helper()
	h, err := r.History()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestOnlyASureFailureIsOne: what is called surely not done must not be seen,
// so every doubtful reason is a write of unknown outcome.
func TestOnlyASureFailureIsOne(t *testing.T) {
	for reason, want := range map[candor.Reason]history.Outcome{
		candor.ReasonConflict: history.OutcomeFailed, candor.ReasonTimedOut: history.OutcomeFailed, candor.ReasonUnavailable: history.OutcomeFailed,
		candor.ReasonRequestExpired: history.OutcomeFailed, candor.ReasonTurnFault: history.OutcomeFailed,
		candor.ReasonOutcomeUnknown: history.OutcomeUnknown, candor.ReasonRootTokenNotReached: history.OutcomeUnknown,
		candor.ReasonInvariantViolated: history.OutcomeUnknown, candor.ReasonInternal: history.OutcomeUnknown, "NEWER": history.OutcomeUnknown,
	} {
		r := history.NewRecorder()
		r.Begin(history.Operation{Client: "c", Kind: history.KindPut, Items: []history.Item{{Key: "a"}}}).Failed(candor.Errorf(reason, "as scripted"))
		for o := range recorded(t, r).All() {
			if o.Outcome != want {
				t.Errorf("a write that failed with %s: %s, want %s", reason, o.Outcome, want)
			}
		}
	}
}

// TestARecordingThatEndsInTheMiddle: a write under way may still happen, a read
// says nothing.
func TestARecordingThatEndsInTheMiddle(t *testing.T) {
	r := history.NewRecorder()
	write := r.Begin(history.Operation{Client: "c", Kind: history.KindPut, Items: []history.Item{{Key: "a"}}})
	r.Begin(history.Operation{Client: "d", Kind: history.KindGet, Items: []history.Item{{Key: "a"}}})
	if r.Len() != 0 {
		t.Errorf("%d operations have ended", r.Len())
	}
	c := recorded(t, r).Census()
	if c.Writes[history.OutcomeUnknown] != 1 || c.Refused[candor.ReasonCanceled] != 1 {
		t.Errorf("census %+v", c)
	}
	write.Answered(history.Answer{Token: at(2).ServedToken})
	if c := recorded(t, r).Census(); c.Writes[history.OutcomeOK] != 1 {
		t.Errorf("after the answer: census %+v", c)
	}
}

// TestVirtualTimeKeepsTheOrder: within one moment of virtual time, what
// returned before a call began is still before it.
func TestVirtualTimeKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := history.NewRecorder()
		put := func(value string, revision uint64) {
			call := r.Begin(history.Operation{Client: "c", Kind: history.KindPut, Items: []history.Item{{Key: "a", Value: value}}})
			call.Answered(history.Answer{Token: at(revision).ServedToken})
		}
		put("1", 2)
		put("2", 3)
		get := r.Begin(history.Operation{Client: "d", Kind: history.KindGet, Items: []history.Item{{Key: "a"}}})
		get.Answered(history.Answer{Items: []history.Item{{Key: "a", Value: "1", Version: 2}}, Witness: at(2)})
		s := history.Check(recorded(t, r), history.RealTime{}, history.Registers{}, history.ClaimedBound{})
		if s.Reports[0].Verdict != history.Violated || s.Reports[1].Verdict != history.Violated {
			t.Error(s)
		}
	})
}

func TestManyMayRecordAtOnce(t *testing.T) {
	r := history.NewRecorder()
	c := r.Caller("c", &stub{object: widget("1", 2), witness: at(5)}, history.Digest)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 200 {
				if _, _, err := c.Get(t.Context(), widgetRef(), history.Ask{}); err != nil {
					t.Error(err)
				}
				_, _ = r.History()
			}
		})
	}
	wait.Wait()
	h := recorded(t, r)
	if h.Len() != 1600 || r.Len() != 1600 {
		t.Errorf("%d operations, %d ended; want 1600", h.Len(), r.Len())
	}
}
