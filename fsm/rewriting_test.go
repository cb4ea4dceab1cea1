package fsm

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// rewritten is a machine that begins a new history with the root's state.
func rewritten(t *testing.T, r *root, to Rewrite) *Machine {
	t.Helper()
	var out bytes.Buffer
	to.ClusterID, to.HistoryID, to.RaiseRevision = "c1", "h2", 1e9
	if _, err := RewriteSnapshot(bytes.NewReader(snapshotOf(t, r.m)), &out, to); err != nil {
		t.Fatal(err)
	}
	m := New(Config{ClusterID: "c1"})
	if err := m.Restore(&out); err != nil {
		t.Fatal(err)
	}
	return m
}

// Whoever held a duty, or came to hold it after the snapshot, no value of it comes
// twice, and the next holder need not wait for anybody.
func TestANewHistoryEndsTenuresAndUsesNoValueTwice(t *testing.T) {
	r := newRoot(t)
	const a, b = "server/s1", "server/s2"
	r.mustTenure(tenure.DutyTSO, a, campaign(a, "a1", r.lineage(tenure.DutyTSO)))
	r.mustTenure(tenure.DutyTSO, a, tenure.Reserve{Era: 1, Holder: a, Bound: tenure.Frontiers{Timestamp: tenure.TimestampAt(r.time)}})
	r.mustTenure(tenure.DutyJanitor, a, campaign(a, "a2", r.lineage(tenure.DutyJanitor)))
	day := r.time + int64(24*time.Hour)
	next := &root{t: t, m: rewritten(t, r, Rewrite{Reached: day}), index: 1, time: r.time}
	next.do(command.LeaderStart(1, "s2"))

	if res := next.tenure(tenure.DutyTSO, a, tenure.Renew{Era: 1, Holder: a}); res.Err() == nil {
		t.Error("the holder of the old history goes on")
	}
	for _, duty := range []string{tenure.DutyTSO, tenure.DutyJanitor, tenure.DutyIDs} {
		l := next.lineage(duty)
		next.mustTenure(duty, b, campaign(b, "b1", l))
		for pending := next.lineage(duty).Pending(b); pending != nil; pending = next.lineage(duty).Pending(b) {
			next.mustTenure(duty, b, pending)
		}
		l = next.lineage(duty)
		if l.Current.Holder != b || l.Current.Start.ID < tenure.RestoreIDs || l.Current.Start.Timestamp < tenure.TimestampAt(day)+tenure.RestoreTimestamps {
			t.Errorf("%s begins at %s, held by %s", duty, l.Current.Start, l.Current.Holder)
		}
	}
}

// A recovery goes on where the log ended, and so knows what was done already; a
// restore begins a log anew, and could not say where.
func TestANewHistoryRemembersRequestsWhereItsLogGoesOn(t *testing.T) {
	r := newRoot(t)
	c := r.writeCommand(create("default", "once", `{}`))
	c.RequestID, c.NotAfter, c.Digest = "q1", r.time+int64(time.Minute), 7
	if first := r.do(c); first.Err() != nil {
		t.Fatal(first.Err())
	}
	at := r.m.View().Token()
	servers := []transition.Server{{ID: "s1", Address: "s1@a:1", Voter: true}}
	m := rewritten(t, r, Rewrite{Term: 3, Index: at.Index + 2, Servers: servers})
	v := m.View()
	if got := v.Token(); got.Term != 3 || got.Index != at.Index+2 || got.Revision != at.Revision+1e9 || v.HistoryID() != "h2" || v.Floor() != got.Revision {
		t.Errorf("begins at %s, of history %s, floor %d; the log ended at %s", got, v.HistoryID(), v.Floor(), at)
	}
	if c := v.Configuration(); c.Index != at.Index+2 || !slices.Equal(c.Servers, servers) {
		t.Errorf("the members are %+v", c)
	}
	if again := m.Apply([]Committed{committed(4, at.Index+3, c)})[0].Results[0]; !again.Replayed || again.Token != at {
		t.Errorf("the repeat was not told of the first: %+v", again)
	}
	if m := rewritten(t, r, Rewrite{}); m.View().Stats().Requests != 0 {
		t.Error("a restore remembers requests, at positions that its log does not have")
	}
}
