package replica

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// seance is a raft that says what a test wants.
type seance struct {
	state  raft.RaftState
	leader raft.ServerID
}

func (s *seance) State() raft.RaftState { return s.state }
func (s *seance) LeaderWithID() (raft.ServerAddress, raft.ServerID) {
	return raft.ServerAddress(s.leader), s.leader
}
func (*seance) CurrentTerm() uint64 { return 7 }

// TestACandidateThatStillHasALeaderLosesIt, once it was seen to have it for a while;
// nobody else is told anything.
func TestACandidateThatStillHasALeaderLosesIt(t *testing.T) {
	for name, c := range map[string]struct {
		seance
		want int
	}{
		"a candidate with a leader": {seance{raft.Candidate, "n2"}, 1},
		"a candidate without one":   {seance{raft.Candidate, ""}, 0},
		"a follower":                {seance{raft.Follower, "n2"}, 0},
		"a leader":                  {seance{raft.Leader, "n1"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var g ghost
				taken := 0
				take := func(rpc raft.RPC) {
					m, ok := rpc.Command.(*raft.AppendEntriesRequest)
					if !ok || m.Term != 7 || len(m.Addr)+len(m.Entries) > 0 || m.LeaderCommitIndex+m.PrevLogEntry > 0 {
						t.Errorf("taken: %+v", rpc.Command)
					}
					taken++
				}
				g.take.Store(&take)
				ctx, cancel := context.WithTimeout(t.Context(), ghostLooks*ghostLook+ghostLook/2)
				defer cancel()
				g.watch(ctx, &c.seance, nil, func(raft.ServerID) {})
				if taken != c.want {
					t.Errorf("%d messages, want %d", taken, c.want)
				}
			})
		})
	}
}

// TestWhoIsNoCandidateIsNotLookedAt until it may have become one.
func TestWhoIsNoCandidateIsNotLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g ghost
		taken := 0
		take := func(raft.RPC) { taken++ }
		g.take.Store(&take)
		s := &seance{state: raft.Follower, leader: "n2"}
		stood := make(chan raft.Observation, 1)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			g.watch(ctx, s, stood, func(raft.ServerID) { s.state = raft.Follower })
		}()
		synctest.Wait()
		s.state = raft.Candidate
		stood <- raft.Observation{}
		time.Sleep(time.Minute)
		cancel()
		<-done
		if taken != 1 {
			t.Errorf("%d messages, want one", taken)
		}
	})
}

// TestAHeartbeatOfNobodyMakesACandidateAFollowerWithoutALeader, and it stands again:
// that is what raft does, of which the cure consists.
func TestAHeartbeatOfNobodyMakesACandidateAFollowerWithoutALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := raft.NewInmemStore()
		_, transport := raft.NewInmemTransport("n1")
		config := raft.DefaultConfig()
		config.LocalID, config.Logger = "n1", hclog.NewNullLogger()
		two := raft.Configuration{Servers: []raft.Server{{ID: "n1", Address: "n1"}, {ID: "n2", Address: "n2"}}}
		if err := raft.BootstrapCluster(config, store, store, raft.NewInmemSnapshotStore(), transport, two); err != nil {
			t.Fatal(err)
		}
		e := newEarly(transport, "n1", func() uint64 { return 0 }, always, newPatience(func(uint64, raft.ServerID) bool { return false }))
		r, err := raft.NewRaft(config, &raft.MockFSM{}, store, store, raft.NewInmemSnapshotStore(), e)
		if err != nil {
			t.Fatal(err)
		}
		is := func(state raft.RaftState) {
			t.Helper()
			for began := time.Now(); r.State() != state; time.Sleep(time.Millisecond) {
				if time.Since(began) > 10*time.Second {
					t.Fatalf("it is %s, want %s", r.State(), state)
				}
			}
		}
		is(raft.Candidate)
		if !e.ghost.nobody(r.CurrentTerm()) {
			t.Fatal("raft takes no heartbeats")
		}
		if _, id := r.LeaderWithID(); id != "" || r.State() != raft.Follower {
			t.Errorf("it is %s of %q", r.State(), id)
		}
		is(raft.Candidate)
		if err := r.Shutdown().Error(); err != nil {
			t.Error(err)
		}
	})
}
