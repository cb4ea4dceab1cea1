package replica

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// Long before raft would tell them, followers apply what is committed.
func TestFollowersLearnOfACommitSoonWhenNothingFollowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, func(s *Settings) { s.CommitTimeout = 5 * time.Second })
		leader := c.leader()
		for _, name := range []string{"a", "b", "c"} {
			token := c.mustPropose(leader, name)
			c.until("followers have applied "+name, 20*time.Millisecond, func() bool {
				for _, n := range c.nodes {
					if n.replica().machine.View().Token().Index < token.Index {
						return false
					}
				}
				return true
			})
			time.Sleep(time.Second)
		}
		c.sameDigests()
	})
}

// A follower whose log ends otherwise does not take a notice for its own
// entries: only the entry that the notice names counts.
func TestANoticeCommitsNothingThatItDoesNotName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		old := c.leader()
		c.mustPropose(old, "before")
		c.net.isolate(old.address)
		// These lie in the log of the server that is cut off, at the indexes of other
		// entries of the next leader's log.
		for range 3 {
			go func() { _, _ = propose(old.replica(), "lost", 50*time.Millisecond) }()
		}
		time.Sleep(100 * time.Millisecond)
		next := c.leader(old)
		token := c.mustPropose(next, "after")
		request := &raft.AppendEntriesRequest{
			RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(next.id), Addr: []byte(next.address)},
			Term:      token.Term, PrevLogEntry: token.Index, PrevLogTerm: token.Term, LeaderCommitIndex: token.Index,
		}
		if old.replica().raft.LastIndex() < 3 {
			t.Fatal("nothing was left in the old leader's log")
		}
		committed := old.replica().raft.CommitIndex()
		c.net.heal()
		var response raft.AppendEntriesResponse
		if err := next.replica().transport.AppendEntries(raft.ServerID(old.id), old.address, request, &response); err != nil {
			t.Fatal(err)
		}
		if response.Success && !has(old, "after") {
			t.Errorf("the notice was taken for entries after %d", committed)
		}
		c.converged("after")
		if has(old, "lost") || has(next, "lost") {
			t.Error("an entry that was never committed is applied")
		}
		c.sameDigests()
	})
}
