package replica

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// recorder is a transport whose follower answers as told.
type recorder struct {
	raft.Transport
	mu       sync.Mutex
	requests []raft.AppendEntriesRequest
	answer   func(*raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error
}

func (r *recorder) EncodePeer(_ raft.ServerID, a raft.ServerAddress) []byte { return []byte(a) }
func (r *recorder) LocalAddr() raft.ServerAddress                           { return "self" }

func (r *recorder) AppendEntries(_ raft.ServerID, _ raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	r.mu.Lock()
	r.requests = append(r.requests, *args)
	r.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	resp.Term, resp.Success = args.Term, true
	if r.answer != nil {
		return r.answer(args, resp)
	}
	return nil
}

// sent lists the entries of each message.
func (r *recorder) sent() (out [][]uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range r.requests {
		var indexes []uint64
		for _, log := range request.Entries {
			indexes = append(indexes, log.Index)
		}
		out = append(out, indexes)
	}
	return out
}

func entries(term uint64, indexes ...uint64) (logs []*raft.Log) {
	for _, index := range indexes {
		logs = append(logs, &raft.Log{Index: index, Term: term})
	}
	return logs
}

var follower = []raft.Server{{ID: "f", Address: "f"}}

// asRaft sends entries as raft does, after they were written.
func asRaft(t *testing.T, e *early, logs []*raft.Log) bool {
	t.Helper()
	args := &raft.AppendEntriesRequest{Term: logs[0].Term, PrevLogEntry: logs[0].Index - 1, PrevLogTerm: logs[0].Term, Entries: logs}
	var resp raft.AppendEntriesResponse
	if err := e.AppendEntries("f", "f", args, &resp); err != nil {
		return false
	}
	return resp.Success
}

func always() bool { return true }

func TestEntriesSentEarlyAreSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		e := newEarly(r, "self", func() uint64 { return 100 }, always, newPatience(func(uint64, raft.ServerID) bool { return false }))
		asRaft(t, e, entries(2, 7))
		e.offer(follower, entries(2, 7)[0], entries(2, 8))
		// The first is under way: these wait, and go together.
		e.offer(follower, entries(2, 8)[0], entries(2, 9, 10))
		e.offer(follower, entries(2, 10)[0], entries(2, 11))
		if !asRaft(t, e, entries(2, 8)) || !asRaft(t, e, entries(2, 9, 10, 11)) {
			t.Error("raft was not told that the follower has the entries")
		}
		e.stop(time.Second)
		if got, want := r.sent(), [][]uint64{{7}, {8}, {9, 10, 11}}; !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("sent %v, want %v", got, want)
		}
		for _, request := range r.requests[1:] {
			if request.LeaderCommitIndex > request.PrevLogEntry {
				t.Errorf("a message after entry %d tells of a commit of %d", request.PrevLogEntry, request.LeaderCommitIndex)
			}
		}
	})
}

func TestWhatWasNotStoredEarlyIsSentByRaft(t *testing.T) {
	for name, answer := range map[string]func(*raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error{
		"lost":    func(*raft.AppendEntriesRequest, *raft.AppendEntriesResponse) error { return errors.New("lost") },
		"refused": func(_ *raft.AppendEntriesRequest, a *raft.AppendEntriesResponse) error { a.Success = false; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := new(recorder)
				e := newEarly(r, "self", func() uint64 { return 0 }, always, newPatience(func(uint64, raft.ServerID) bool { return false }))
				asRaft(t, e, entries(2, 7))
				r.answer = answer
				e.offer(follower, entries(2, 7)[0], entries(2, 8))
				e.offer(follower, entries(2, 8)[0], entries(2, 9))
				if asRaft(t, e, entries(2, 8)) {
					t.Error("raft was told that the follower has what it has not")
				}
				r.answer = nil
				// Nothing is sent early before raft has found out what the follower has.
				e.offer(follower, entries(2, 9)[0], entries(2, 10))
				if !asRaft(t, e, entries(2, 8, 9, 10)) {
					t.Error("raft's own message failed")
				}
				e.stop(time.Second)
				if got, want := r.sent(), [][]uint64{{7}, {8}, {8}, {8, 9, 10}}; !slices.EqualFunc(got, want, slices.Equal) {
					t.Errorf("sent %v, want %v", got, want)
				}
			})
		})
	}
}

func TestAnAnswerCountsInItsOwnTermOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		e := newEarly(r, "self", func() uint64 { return 0 }, always, newPatience(func(uint64, raft.ServerID) bool { return false }))
		asRaft(t, e, entries(2, 7))
		e.offer(follower, entries(2, 7)[0], entries(2, 8, 9))
		synctest.Wait()
		if !asRaft(t, e, entries(4, 8)) {
			t.Error("raft's own message failed")
		}
		e.offer(follower, entries(2, 9)[0], entries(2, 10))
		e.stop(time.Second)
		if got, want := r.sent(), [][]uint64{{7}, {8, 9}, {8}}; !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("sent %v, want %v", got, want)
		}
	})
}

// While the leader's disk stands still its followers store what it is writing,
// and nobody counts it as committed before the leader has it too. If the leader
// dies then, the entry is one whose outcome is unknown: it may live on, on all
// servers alike.
func TestFollowersStoreWhileTheLeaderWrites(t *testing.T) {
	for _, dies := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, 3)
			leader := c.leader()
			c.mustPropose(leader, "before")
			c.converged("before")
			index := leader.replica().raft.LastIndex()
			release := leader.disk.stop()
			acknowledged := make(chan error, 1)
			go func() {
				_, err := propose(leader.replica(), "during", time.Second)
				acknowledged <- err
			}()
			c.until("the followers have the entry", 50*time.Millisecond, func() bool {
				for _, n := range c.nodes {
					if n != leader && n.replica().raft.LastIndex() <= index {
						return false
					}
				}
				return true
			})
			for _, n := range c.nodes {
				if has(n, "during") {
					t.Errorf("%s applied what the leader has not written", n.id)
				}
			}
			if !dies {
				release()
				if err := <-acknowledged; err != nil {
					t.Error(err)
				}
				c.converged("during")
				c.sameDigests()
				return
			}
			c.net.isolate(leader.address)
			next := c.leader(leader)
			c.mustPropose(next, "after")
			if !has(next, "during") {
				t.Error("the next leader lost what a majority had stored")
			}
			release()
			<-acknowledged
			c.net.heal()
			c.converged("after")
			c.sameDigests()
		})
	}
}
