package tenure_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

// Whatever state an era was in when a snapshot was taken, and whatever was granted
// and used after it, the eras after a restore begin above that; the chain goes on.
func TestErasAfterARestoreBeginAboveWhatTheOldOnesMayHaveUsed(t *testing.T) {
	const reached = 3 * 24 * 3600
	r := tenure.Restoring{ClusterTime: at(9).ClusterTime, Reached: at(reached).ClusterTime, Transitions: 1_000}
	for i, before := range append([]tenure.Lineage{lineage(t, "tso"), lineage(t, "ids")}, versions(t)...) {
		after, err := before.Restored(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []*tenure.Violation{tenure.Inheritance(before, after), tenure.Finality(before, after), tenure.Check(after, after)} {
			if v != nil {
				t.Errorf("lineage %d: %v", i, v)
			}
		}
		if back, err := tenure.Decode(after.Append(nil)); err != nil || cmp.Diff(after, back) != "" {
			t.Errorf("lineage %d: stored and read: %v", i, err)
		}

		// What the old cluster did after the snapshot, as far as the margins go.
		used := before.Current.Usage
		if before.Current.State == tenure.StateActive {
			used = before.Current.Bound
		}
		used.ID += tenure.RestoreIDs
		used.Timestamp = max(used.Timestamp, tenure.TimestampAt(r.Reached)) + tenure.RestoreTimestamps
		used.Transition += r.Transitions

		s := &script{t: t, l: after}
		s.do(at(9), s.campaign(c, "new"))
		if start := s.l.Current.Start; !start.Covers(used) {
			t.Errorf("lineage %d: the first era after the restore starts at %s, below %s", i, start, used)
		}
		if s.l.Current.Number != before.Current.Number+2 || s.l.Fence(before.Current.Number) == nil {
			t.Errorf("lineage %d: era %d follows era %d, which passes the fence: %v", i, s.l.Current.Number, before.Current.Number, s.l.Fence(before.Current.Number) == nil)
		}
		shown := []tenure.Lineage{before, s.l}
		if before.Current.Number == 0 {
			shown = shown[1:]
		}
		for s.l.Pending(c) != nil {
			s.do(at(9), s.l.Pending(c))
			shown = append(shown, s.l)
		}
		s.do(at(9), tenure.Release{Era: s.l.Current.Number, Holder: c, Usage: s.l.Current.Start})
		if v := tenure.Audit(append(shown, s.l)); v != nil {
			t.Errorf("lineage %d: %v", i, v)
		}
	}
}

// The holder of before has no way on: neither under its era nor by a repeat.
func TestARestoreEndsTheEraThatItMeets(t *testing.T) {
	s := begin(t, "tso")
	s.do(at(0), s.campaign(a, "a1"), tenure.Reserve{Era: 1, Holder: a, Bound: tenure.Frontiers{Timestamp: 1 << 30}})
	var err *candor.Error
	if s.l, err = s.l.Restored(tenure.Restoring{ClusterTime: at(1).ClusterTime}); err != nil {
		t.Fatal(err)
	}
	for _, e := range []tenure.Event{
		tenure.Renew{Era: 1, Holder: a}, tenure.Reserve{Era: 1, Holder: a, Bound: tenure.Frontiers{Timestamp: 1 << 31}},
		tenure.Seal{Era: 1, Holder: a}, tenure.Release{Era: 1, Holder: a},
		tenure.Campaign{Holder: a, Candidacy: "a1", Duration: duration},
	} {
		s.refuse(at(1), e, candor.ReasonEraStale)
	}
	if free := s.l.Free(b, at(1)); free != nil {
		t.Errorf("the duty waits for somebody: %v", free)
	}
}

// An audit that accepted an era that no version shows would accept anything.
func TestAnAuditWantsTheEraOfARestoreShown(t *testing.T) {
	s := begin(t, "ids")
	s.do(at(0), s.campaign(a, "a1"))
	before := s.l
	s.l, _ = s.l.Restored(tenure.Restoring{ClusterTime: at(1).ClusterTime})
	s.do(at(1), s.campaign(b, "b1"))
	forged := s.l
	forged.Unfinished = s.l.Unfinished[:1]
	if tenure.Audit([]tenure.Lineage{before, forged}) == nil {
		t.Error("the restore's era is hidden, and the audit is content")
	}
	if v := tenure.Audit([]tenure.Lineage{before, s.l}); v != nil {
		t.Error(v)
	}
}
