package client_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// begins is the start of a watch of a class that any node can serve.
func (n *node) begins(class candorv1.Freshness, revision uint64) *candorv1.WatchResponse {
	m := n.started(revision)
	m.Witness = n.weaker(class, token(revision))
	return m
}

// announces is a bookmark of a node in another mode.
func (n *node) announces(class candorv1.Freshness, revision uint64, mode candorv1.DegradedMode, catchUp candorv1.CatchUpState) *candorv1.WatchResponse {
	m := n.bookmark(revision)
	w := n.weaker(class, token(revision))
	w.DegradedMode, w.CatchUpState = mode, catchUp
	if class == candorv1.Freshness_FRESHNESS_BEST_EFFORT {
		w.ServingClass, w.Mechanism, w.StalenessBound, w.RootLag = candorv1.ServingClass_SERVING_CLASS_DEGRADED, candorv1.Mechanism_MECHANISM_VIEW, nil, nil
	} else {
		// No such class can be served in it: the message tells of the mode alone.
		w.ServedFreshness, w.ServingClass, w.Mechanism = 0, 0, 0
	}
	m.Witness = w
	return m
}

// A watch whose node says that its view may stand still goes on elsewhere after
// the last revision delivered, and its caller is told of the mode.
func TestAWatchLeavesANodeThatAnnouncesItsDegradation(t *testing.T) {
	for name, row := range map[string]struct {
		class   candor.Freshness
		mode    candorv1.DegradedMode
		catchUp candorv1.CatchUpState
	}{
		"bounded, quarantined":   {candor.FreshnessBounded, candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY, 0},
		"bounded, cut off":       {candor.FreshnessBounded, candorv1.DegradedMode_DEGRADED_MODE_ROOT_UNAVAILABLE, 0},
		"best effort, cut off":   {candor.FreshnessBestEffort, candorv1.DegradedMode_DEGRADED_MODE_ROOT_UNAVAILABLE, 0},
		"best effort, rebuilt":   {candor.FreshnessBestEffort, candorv1.DegradedMode_DEGRADED_MODE_HEALTHY, candorv1.CatchUpState_CATCH_UP_STATE_RECOVERING},
		"best effort, view only": {candor.FreshnessBestEffort, candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, three...)
				class := candorv1.Freshness_FRESHNESS_BOUNDED
				if row.class == candor.FreshnessBestEffort {
					class = candorv1.Freshness_FRESHNESS_BEST_EFFORT
				}
				first := make(chan *node, 1)
				s.each(func(n *node) {
					n.on("Watch", func(c *call) error {
						select {
						case first <- n:
							return streams(nil, n.begins(class, 5), recorded(6), n.announces(class, 7, row.mode, row.catchUp))(c)
						default:
							after := watched(c).GetAfterRevision()
							return streams(nil, n.begins(class, 9), recorded(after+1, after+2))(c)
						}
					})
				})
				c := s.client(three)
				w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind, Read: []client.ReadOption{client.WithFreshness(row.class)}})
				noError(t, err)
				defer w.Close()
				left := (<-first).name
				first <- s.node(left) // nobody is the first any more
				told := false
				for w.Revision() < 9 {
					batch, err := w.Next(t.Context())
					noError(t, err)
					if batch.Witness != nil && batch.Witness.NodeName == left && batch.Bookmark && batch.Revision == 7 {
						told = true
						if w.Witness().NodeName != left || w.Witness().Mode != batch.Witness.Mode {
							t.Errorf("the newest witness is %+v", w.Witness())
						}
					}
					for i, e := range batch.Events {
						if want := []uint64{6, 8, 9}; !slices.Contains(want, e.Revision) || e.Revision != batch.Revision-uint64(len(batch.Events)-1-i) {
							t.Errorf("event at %d in %+v", e.Revision, batch)
						}
					}
				}
				if !told {
					t.Error("the caller was not told of the mode")
				}
				if on := w.Witness(); on.NodeName == left || on.Mode != candor.ModeHealthy {
					t.Errorf("it goes on at %s, %s", on.NodeName, on.Mode)
				}
			})
		})
	}
}

// Where no other node is better, or the watch is of one node, it stays and only
// tells.
func TestAWatchStaysWhereNoOtherNodeIsBetter(t *testing.T) {
	for name, pinned := range map[string]bool{"alone": false, "pinned": true} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, "n1", "n2")
			n1 := s.node("n1")
			class := candorv1.Freshness_FRESHNESS_BEST_EFFORT
			n1.on("Watch", streams(nil, n1.begins(class, 5),
				n1.announces(class, 5, candorv1.DegradedMode_DEGRADED_MODE_ROOT_UNAVAILABLE, 0), recorded(6)))
			names, options := []string{"n1"}, []client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort)}
			if pinned {
				names, options = []string{"n1", "n2"}, append(options, client.OnEndpoint("n1:1"))
			}
			w, err := s.client(names).Watch(t.Context(), client.WatchOptions{Kind: web.Kind, Read: options})
			noError(t, err)
			defer w.Close()
			if got := revisionsUntil(t, w, 6); !slices.Equal(got, []uint64{6}) || n1.count("Watch") != 1 {
				t.Errorf("%s: delivered %v over %d streams", name, got, n1.count("Watch"))
			}
			if w.Witness().Mode != candor.ModeRootUnavailable {
				t.Errorf("%s: the newest witness is %+v", name, w.Witness())
			}
		})
	}
}

// A server ends the watch of a class that it cannot keep any more; the next node
// goes on, without gap or duplicate.
func TestAWatchGoesOnWhereAnotherNodeHadToEndIt(t *testing.T) {
	for _, reason := range []candor.Reason{candor.ReasonStalenessExceeded, candor.ReasonViewOnly, candor.ReasonRecovering, candor.ReasonRootUnavailable} {
		t.Run(string(reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, three...)
				class := candorv1.Freshness_FRESHNESS_BOUNDED
				s.each(func(n *node) {
					n.on("Watch", sequence(func(c *call) error {
						at := max(5, watched(c).GetAfterRevision())
						return streams(&candor.Error{Reason: reason}, n.begins(class, at), recorded(at+1, at+2))(c)
					}, refuses(&candor.Error{Reason: reason})))
				})
				c := s.client(three)
				start := time.Now()
				w, err := c.Watch(t.Context(), client.WatchOptions{Kind: web.Kind, Read: []client.ReadOption{client.WithFreshness(candor.FreshnessBounded)}})
				noError(t, err)
				defer w.Close()
				if got := revisionsUntil(t, w, 11); !slices.Equal(got, []uint64{6, 7, 8, 9, 10, 11}) {
					t.Errorf("delivered %v", got)
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("it took %v to go on twice", took)
				}
			})
		})
	}
}

// A bookmark that promises what its node cannot keep ends the watch.
func TestABookmarkIsHeldAgainstTheWatchsClass(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	class := candorv1.Freshness_FRESHNESS_BOUNDED
	lapsed := n1.bookmark(5)
	lapsed.Witness = n1.weaker(class, token(5))
	lapsed.Witness.StalenessBound = durationpb.New(time.Minute)
	n1.on("Watch", streams(nil, n1.begins(class, 5), lapsed))
	w, err := s.client([]string{"n1"}).Watch(t.Context(), client.WatchOptions{Kind: web.Kind, Read: []client.ReadOption{client.WithFreshness(candor.FreshnessBounded)}})
	noError(t, err)
	defer w.Close()
	_, err = w.Next(t.Context()) // the start
	noError(t, err)
	_, err = w.Next(t.Context())
	wantReason(t, err, candor.ReasonInvariantViolated)
}
