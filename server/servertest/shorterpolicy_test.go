package servertest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

// silencePolicy says of nodes that the selector matches when they are silent.
func silencePolicy(name, objects string, detect, act time.Duration) *candor.Object {
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "FailurePolicy", Metadata: candor.Metadata{Name: name},
		Spec: fmt.Appendf(nil, `{"kind":"nodes.candor","objects":%q,"modes":[{"failure":"Partition","signal":"Heartbeat","detectWithin":%q,"action":"Evict","actAfter":%q,"recoverWithin":"5m"}]}`, objects, detect, act),
	}
}

// wantReadySince fails where a node was anything but Ready at a revision after this one.
func wantReadySince(s *site, since uint64) {
	s.Helper()
	walk(s.T, s.c.Leader().Machine().View(), func(m *moment) {
		for _, x := range m.changes {
			if m.revision <= since || x.ref.Kind != candor.KindNodes || x.after == nil {
				continue
			}
			var status candor.NodeStatus
			if err := json.Unmarshal(x.after.Status, &status); err != nil {
				s.Fatal(err)
			}
			if !status.Conditions.True(candor.ConditionReady) {
				s.Errorf("revision %d: %s is not Ready: %+v", m.revision, x.ref, status.Conditions.Get(candor.ConditionReady))
			}
		}
	})
}

// Workers learn of a shorter policy from the answer to their next beat, and nobody judges
// them by it before: whenever it comes, no node that lives is taken for silent, and one
// that falls silent then is in the new time.
func TestAShorterPolicyTakesNoLivingNodeForSilent(t *testing.T) {
	long(t)
	const short, act = 3 * time.Second, 2 * time.Second
	for name, c := range map[string]struct {
		policy, objects string
		move            bool
	}{
		"of all nodes":                       {policy: candor.DefaultFailurePolicy(candor.KindNodes)},
		"of all nodes, and a follower looks": {policy: candor.DefaultFailurePolicy(candor.KindNodes), move: true},
		"of some nodes":                      {policy: "zone-b", objects: candor.LabelZone + "=b"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, 4)
				if c.move {
					s.moveDuty(tenure.DutyControllers, s.c.Follower().Name())
				}
				s.create(workload("web", 6, ""))
				s.whole(10*time.Second, "web", 6)
				ref := candor.Ref{Kind: candor.KindFailurePolicies, Name: c.policy}
				began := s.revision()
				s.create(silencePolicy(c.policy, c.objects, detect, giveUp))
				for phase := range 5 {
					time.Sleep(30*time.Second + time.Duration(phase)*1100*time.Millisecond)
					s.patch(ref, string(silencePolicy(c.policy, c.objects, short, act).Spec))
					time.Sleep(30 * time.Second)
					s.patch(ref, string(silencePolicy(c.policy, c.objects, detect, giveUp).Spec))
				}
				time.Sleep(30 * time.Second)
				s.patch(ref, string(silencePolicy(c.policy, c.objects, short, act).Spec))
				time.Sleep(beat + short/3) // all were told
				wantReadySince(s, began)

				s.f.Cut("w2") // in zone b
				cut := time.Now()
				s.eventually(short+nearly, "w2 is not ready", func() bool {
					return s.nodeIs("w2", candor.ConditionReady, candor.ConditionFalse, candor.WhyHeartbeatMissed)
				})
				notReady := time.Since(cut)
				s.eventually(act+nearly, "its instances are given up", func() bool { return s.onNode("w2") == 0 })
				if lost := time.Since(cut); notReady < short-short/3 || lost < short+act-short/3 {
					t.Errorf("not ready after %s, given up after %s", notReady, lost)
				}
				for _, other := range []string{"w1", "w3", "w4"} {
					if !s.nodeIs(other, candor.ConditionReady, candor.ConditionTrue, "") {
						t.Errorf("%s, which lives, is not Ready", other)
					}
				}
				wantSoundHistory(s)
			})
		})
	}
}
