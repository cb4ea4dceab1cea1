package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/informer"
)

// standIn is a root that a Monitor writes to.
type standIn struct {
	scene *scene

	mu     sync.Mutex
	stored []Stored
	writes []controller.Write
	fail   error
	replay candor.Replay
	asked  []string // IDs of decisions
}

func (r *standIn) Beat(string) (int64, time.Duration, bool) { return clusterNow(), 0, true }
func (r *standIn) Tenures() []tenure.Lineage                { return r.scene.tenures() }
func (r *standIn) Standing() ([]Standstill, bool)           { return nil, true }

func (r *standIn) Findings() ([]Stored, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.stored), nil
}

func (r *standIn) Replay(_ candor.VersionRef, d *candor.Decision) candor.Replay {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, d.ID)
	return r.replay
}

func (r *standIn) Write(_ context.Context, w controller.Write) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return 0, r.fail
	}
	r.writes = append(r.writes, w)
	for _, op := range w.Ops {
		name := op.Target().Name
		at := slices.IndexFunc(r.stored, func(s Stored) bool { return s.Name == name })
		switch op := op.(type) {
		case controller.Create:
			if at >= 0 {
				return 0, candor.Errorf(candor.ReasonAlreadyExists, "%s exists", name)
			}
			r.stored = append(r.stored, Stored{Name: name, UID: "u-" + name})
		case controller.UpdateStatus:
			var status candor.FindingStatus
			if err := json.Unmarshal(op.Status, &status); err != nil {
				return 0, err
			}
			r.stored[at].Status = status
			r.stored[at].ResourceVersion++
		case controller.Delete:
			r.stored = slices.Delete(r.stored, at, at+1)
		default:
			return 0, candor.Errorf(candor.ReasonInternal, "a verifier writes findings alone, not %T", op)
		}
		if op.Target().Kind != candor.KindFindings {
			return 0, candor.Errorf(candor.ReasonForbidden, "a verifier writes findings alone, not %s", op.Target())
		}
	}
	return uint64(len(r.writes)), nil
}

func (r *standIn) set(change func(r *standIn)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

func (r *standIn) open(p Promise) (out []candor.FindingStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.stored {
		if s.Status.Open && s.Status.Promise == string(p) {
			out = append(out, s.Status)
		}
	}
	return out
}

// clusterNow is the bubble's clock.
func clusterNow() int64 { return time.Now().UnixNano() }

// run has a Monitor run on a scene for as long as the test.
func run(t *testing.T, s *scene) (*Monitor, *standIn, chan error) {
	root := &standIn{scene: s}
	m := New(Config{Store: s.store, Root: root, Writer: root, Now: clusterNow, Logger: hclog.NewNullLogger()})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var running sync.WaitGroup
	running.Go(func() { ended <- m.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return m, root, ended
}

func decided(t *testing.T, name string, place int) informer.Version {
	v := object(t, "instances/default/"+name+` {"cpu":"1","status":{"decision":{"id":"x"}}}`)
	id := fmt.Sprintf("d-7-%d", place)
	v.Object.Status = fmt.Appendf(nil, `{"phase":"Placed","node":"w1","nodeUID":"u-w1","decision":{"id":%q,"token":{"term":1,"index":7,"revision":7},"instance":7,"algorithm":1,"verdict":"PLACED","considered":1,"digest":"d"}}`, id)
	v.Object.Metadata.Labels[candor.LabelNode] = "w1"
	return v
}

// One decision in ten seconds is taken again, the newest; what differs is told as a
// broken safety promise, and what cannot be replayed is counted.
func TestDecisionsAreReplayedOnASample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		s.put(t, object(t, `nodes/w1 {"cpu":"64"}`))
		m, root, _ := run(t, s)
		root.set(func(r *standIn) { r.replay = candor.Replay{Same: true} })
		synctest.Wait()
		s.put(t, decided(t, "a", 0), decided(t, "b", 1))
		time.Sleep(8 * time.Second)
		if got := m.Stats(); got.Same != 1 {
			t.Fatalf("%+v", got)
		}
		root.set(func(r *standIn) {
			if !slices.Equal(r.asked, []string{"d-7-1"}) {
				t.Errorf("replayed were %v", r.asked)
			}
			r.replay = candor.Replay{Reason: candor.ReasonReplayUnavailable}
		})
		s.put(t, decided(t, "c", 2))
		time.Sleep(12 * time.Second)
		root.set(func(r *standIn) {
			r.replay = candor.Replay{Reason: candor.ReasonDecisionDiffers, Message: "node: was w1, is w2"}
		})
		s.put(t, decided(t, "d", 3))
		time.Sleep(12 * time.Second)
		got := m.Stats()
		if got.Same != 1 || got.Unavailable != 1 || got.Different != 1 {
			t.Errorf("%+v", got)
		}
		found := root.open(DecisionReplays)
		if len(found) != 1 || !found[0].Safety || found[0].Cause != "node: was w1, is w2" || found[0].Subject.Name != "d" {
			t.Errorf("found %+v", found)
		}
		time.Sleep(time.Minute)
		if again := m.Stats(); again.Same+again.Unavailable+again.Different != 3 {
			t.Errorf("decisions that were replayed are replayed again: %+v", again)
		}
	})
}

// A finding is an object and then its status, with what led to it; a failed write is
// tried again, and the end of the right to write ends the run.
func TestFindingsAreWrittenUntilTheEraIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		s.vacant[tenure.DutySchedule] = true
		s.put(t, object(t, `nodes/w1 {"cpu":"4"}`), object(t, `instances/default/a {"cpu":"1"}`))
		m, root, ended := run(t, s)
		root.set(func(r *standIn) { r.fail = candor.Errorf(candor.ReasonUnavailable, "no leader") })
		time.Sleep(20 * time.Second)
		if m.Stats().Failed == 0 || m.Stats().Broken != 1 {
			t.Fatalf("%+v", m.Stats())
		}
		root.set(func(r *standIn) { r.fail = nil })
		time.Sleep(10 * time.Second)
		if open := root.open(PendingIsPlaced); len(open) != 1 || open[0].Cause != "nobody holds duty schedule" {
			t.Fatalf("open are %+v", open)
		}
		root.set(func(r *standIn) {
			if len(r.writes) != 2 || r.writes[1].Because == nil || r.writes[1].Because.Name != "a" || r.writes[1].Reason != ReasonBroken || r.writes[1].Read.IsZero() {
				t.Errorf("written was %+v", r.writes)
			}
			r.writes = nil
		})
		time.Sleep(5 * time.Minute)
		root.set(func(r *standIn) {
			if len(r.writes) != 0 {
				t.Errorf("nothing changes, and %d writes are made", len(r.writes))
			}
			r.fail = candor.Errorf(candor.ReasonEraStale, "era 1 is over")
		})
		s.put(t, informer.Version{Kind: candor.KindInstances, Object: s.store.Read().Get(refOf("instances/default/a")).Object, Gone: true})
		if err := <-ended; candor.ReasonOf(err) != candor.ReasonEraStale {
			t.Errorf("the run ended with %v", err)
		}
	})
}
