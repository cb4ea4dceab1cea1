package tenure_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

const (
	a, b, c  = "server/a", "server/b", "server/c"
	duration = int64(2 * time.Second)
)

func ids(n uint64) tenure.Frontiers { return tenure.Frontiers{ID: n} }

func at(seconds int64) tenure.Now {
	return tenure.Now{ClusterTime: seconds * int64(time.Second), Term: 1, Leader: a}
}

func lineage(t *testing.T, name string) tenure.Lineage {
	t.Helper()
	duty, err := tenure.DutyOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return tenure.New(duty)
}

// script applies events and checks every guarantee over each of them.
type script struct {
	t *testing.T
	l tenure.Lineage
}

func begin(t *testing.T, duty string) *script { return &script{t: t, l: lineage(t, duty)} }

func (s *script) do(now tenure.Now, events ...tenure.Event) {
	s.t.Helper()
	for _, e := range events {
		after, err := s.l.Apply(now, e)
		if err != nil {
			s.t.Fatalf("%T%+v: %v", e, e, err)
		}
		if v := tenure.Check(s.l, after); v != nil {
			s.t.Fatalf("%T%+v: %v", e, e, v)
		}
		s.l = after
	}
}

func (s *script) refuse(now tenure.Now, e tenure.Event, reason candor.Reason, words ...string) {
	s.t.Helper()
	after, err := s.l.Apply(now, e)
	if err == nil || err.Reason != reason {
		s.t.Fatalf("%T%+v: want %s, got %v", e, e, reason, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Message, word) {
			s.t.Errorf("%T: want %q in %q", e, word, err.Message)
		}
	}
	if diff := cmp.Diff(s.l, after); diff != "" {
		s.t.Errorf("%T was refused and changed the lineage:\n%s", e, diff)
	}
}

// again checks that an event that was done is answered and changes nothing.
func (s *script) again(now tenure.Now, e tenure.Event) {
	s.t.Helper()
	before := s.l
	s.do(now, e)
	if got := tenure.Compare(before, s.l); got != tenure.Unchanged {
		s.t.Errorf("%T%+v: a repeat changed the lineage:\n%s", e, e, cmp.Diff(before, s.l))
	}
}

// campaign is for the next era, as a candidate that has read the lineage sends it.
func (s *script) campaign(holder, candidacy string) tenure.Campaign {
	cur := &s.l.Current
	e := tenure.Campaign{Holder: holder, Candidacy: candidacy, Expect: cur.Number, Cite: cur.Seal, Start: cur.Usage, Duration: duration}
	if cur.State == tenure.StateActive {
		e.Start = cur.Bound
	}
	return e
}

func TestAGracefulHandoverSealsWithExactUsageAndEndsClosed(t *testing.T) {
	s := begin(t, "ids")
	first := s.campaign(a, "a1")
	s.do(at(0), first)
	s.again(at(1), first)
	s.do(at(1), tenure.Reserve{Era: 1, Holder: a, Bound: ids(100)})
	s.again(at(1), tenure.Reserve{Era: 1, Holder: a, Bound: ids(50)})

	s.refuse(at(1), tenure.Seal{Era: 1, Holder: b, Usage: ids(40)}, candor.ReasonForbidden)
	s.refuse(at(1), tenure.Seal{Era: 1, Holder: a, Usage: ids(101)}, candor.ReasonInvalid, "101/0/0")
	seal := tenure.Seal{Era: 1, Holder: a, Usage: ids(40), To: b}
	s.do(at(1), seal)
	s.again(at(2), seal)
	s.refuse(at(2), tenure.Seal{Era: 1, Holder: a, Usage: ids(41), To: b}, candor.ReasonEraStale)
	s.refuse(at(2), first, candor.ReasonEraStale)
	s.refuse(at(2), tenure.Renew{Era: 1, Holder: a}, candor.ReasonEraStale, "SEALED")

	s.refuse(at(2), s.campaign(c, "c1"), candor.ReasonTenureHeld, "server/b", "until cluster time 3000000000")
	second := s.campaign(b, "b1")
	uncited, low := second, second
	uncited.Cite, low.Start = tenure.Digest{1}, ids(39)
	s.refuse(at(2), uncited, candor.ReasonLineageMismatch, "seal of era 1")
	s.refuse(at(2), low, candor.ReasonLineageMismatch, "39/0/0", "40/0/0")
	s.do(at(2), second)
	s.again(at(2), second)
	s.again(at(2), seal)

	confirm := tenure.Confirm{Era: 2, Holder: b, Predecessor: 1, Cite: s.l.Unfinished[0].Seal}
	shut := tenure.Close{Era: 2, Holder: b, Predecessor: 1}
	s.refuse(at(2), shut, candor.ReasonLineageMismatch, "not confirmed")
	s.refuse(at(2), tenure.Confirm{Era: 2, Holder: b, Predecessor: 1}, candor.ReasonLineageMismatch)
	s.refuse(at(2), tenure.Confirm{Era: 2, Holder: b, Predecessor: 2}, candor.ReasonInvalid)
	if diff := cmp.Diff(tenure.Event(confirm), s.l.Pending(b)); diff != "" {
		t.Errorf("what the holder owes first:\n%s", diff)
	}
	s.do(at(2), confirm)
	s.again(at(2), confirm)
	if diff := cmp.Diff(tenure.Event(shut), s.l.Pending(b)); diff != "" {
		t.Errorf("what the holder owes then:\n%s", diff)
	}
	s.do(at(2), shut)
	s.again(at(2), shut)
	s.again(at(2), confirm)
	if owed := s.l.Pending(b); owed != nil {
		t.Errorf("nothing is owed after the close, got %+v", owed)
	}
	if s.l.Finished.State != tenure.StateClosed || s.l.Current.Start != ids(40) || s.l.Current.Lineage != s.l.Finished.Seal {
		t.Errorf("era 2 does not follow from era 1:\n%+v", s.l)
	}
}

func TestATakeoverSealsWithTheWholeBoundInTheSameTurn(t *testing.T) {
	s := begin(t, "tso")
	s.do(at(0), s.campaign(a, "a1"), tenure.Reserve{Era: 1, Holder: a, Bound: ids(10)})
	late := s.campaign(b, "b1")
	s.do(at(1), tenure.Reserve{Era: 1, Holder: a, Bound: ids(20)})
	s.refuse(at(1), late, candor.ReasonTenureHeld, "server/a", "era 1", "2000000000")

	s.do(at(1), tenure.Renew{Era: 1, Holder: a})
	s.refuse(at(2), late, candor.ReasonTenureHeld, "3000000000")
	leads := at(2)
	leads.Leader, leads.Term = b, 9
	s.refuse(leads, late, candor.ReasonTenureHeld)

	before := s.l
	s.do(at(3), late)
	pred := s.l.Unfinished[0]
	if pred.Usage != ids(20) || pred.Sealing != tenure.SealingBound || pred.SealedBy != b || s.l.Current.Start != ids(20) {
		t.Errorf("the candidate read a bound of 10 and must inherit 20:\n%+v\n%+v", pred, s.l.Current)
	}
	want := []tenure.Stage{{Era: 1, State: tenure.StateSealed, Takeover: true}, {Era: 2, State: tenure.StateActive}}
	if diff := cmp.Diff(want, tenure.Stages(before, s.l)); diff != "" {
		t.Error(diff)
	}
	s.refuse(at(3), tenure.Seal{Era: 1, Holder: a, Usage: ids(20)}, candor.ReasonEraStale)
	s.refuse(at(3), tenure.Reserve{Era: 1, Holder: a, Bound: ids(30)}, candor.ReasonEraStale)
}

func TestANewLeaderTakesAFencedDutyAtOnceUnlessItWasRenewedInItsTerm(t *testing.T) {
	s := begin(t, "janitor")
	s.do(at(0), s.campaign(a, "a1"))
	leads := tenure.Now{ClusterTime: 1, Term: 2, Leader: b}
	s.refuse(leads, s.campaign(c, "c1"), candor.ReasonTenureHeld)
	kept := s.l
	s.do(leads, tenure.Renew{Era: 1, Holder: a})
	s.refuse(leads, s.campaign(b, "b1"), candor.ReasonTenureHeld)
	s.l = kept
	s.do(leads, s.campaign(b, "b1"))
	if s.l.Current.Holder != b {
		t.Errorf("the leader of a later term was not given the duty: %+v", s.l.Current)
	}
}

func TestAProcessIsNeverAnsweredInAnothersPlace(t *testing.T) {
	s := begin(t, "ids")
	s.do(at(0), s.campaign(a, "before"), tenure.Reserve{Era: 1, Holder: a, Bound: ids(10)})
	stale := tenure.Campaign{Holder: a, Candidacy: "after", Duration: duration}
	s.refuse(at(0), stale, candor.ReasonEraStale)
	s.do(at(0), s.campaign(a, "after"))
	if s.l.Current.Number != 2 || s.l.Current.Start != ids(10) {
		t.Errorf("a restarted server begins an era of its own above what it may have used: %+v", s.l.Current)
	}

	s = begin(t, "control/ingress")
	s.do(at(0), s.campaign("client/x", "one"))
	s.refuse(at(1), s.campaign("client/x", "two"), candor.ReasonTenureHeld, "client/x")
	s.do(at(2), s.campaign("client/x", "two"))
}

func TestAReleasedDutyIsReattachedOrTakenByAnyone(t *testing.T) {
	s := begin(t, "ids")
	s.do(at(0), s.campaign(a, "a1"), tenure.Reserve{Era: 1, Holder: a, Bound: ids(10)})
	release := tenure.Release{Era: 1, Holder: a, Usage: ids(7)}
	s.do(at(0), release)
	s.again(at(1), release)
	if err := s.l.Fence(1); err == nil || err.Reason != candor.ReasonEraStale {
		t.Errorf("a released era passes the fence: %v", err)
	}
	released := s.l
	s.do(at(1), s.campaign(b, "b1"))
	if s.l.Finished.State != tenure.StateClosed || len(s.l.Unfinished) != 0 {
		t.Errorf("the released era is over: %+v", s.l)
	}

	s.l = released
	back := tenure.Reattach{Holder: a, Candidacy: "a2", Era: 1, Cite: s.l.Current.Seal}
	s.refuse(at(1), tenure.Reattach{Holder: b, Candidacy: "b1", Era: 1, Cite: s.l.Current.Seal}, candor.ReasonForbidden)
	s.refuse(at(1), tenure.Reattach{Holder: a, Candidacy: "a2", Era: 1}, candor.ReasonLineageMismatch)
	s.do(at(1), back)
	s.again(at(1), back)
	if s.l.Finished.State != tenure.StateReattached || s.l.Current.Start != ids(7) || s.l.Current.Duration != duration {
		t.Errorf("the holder goes on where it was: %+v", s.l)
	}
	s.refuse(at(1), tenure.Reattach{Holder: a, Candidacy: "a3", Era: 2}, candor.ReasonLineageMismatch, "ACTIVE")
}

func TestSuccessorsThatCrashLeaveHandoversThatTheNextEndsOldestFirst(t *testing.T) {
	s := begin(t, "ids")
	s.do(at(0), s.campaign(a, "a1"))
	s.do(at(2), s.campaign(b, "b1"))
	s.do(at(4), s.campaign(c, "c1"))
	seals := []tenure.Digest{s.l.Unfinished[0].Seal, s.l.Unfinished[1].Seal}
	s.refuse(at(4), tenure.Confirm{Era: 3, Holder: c, Predecessor: 2, Cite: seals[1]}, candor.ReasonLineageMismatch, "confirm it before era 2")
	s.refuse(at(4), tenure.Release{Era: 3, Holder: c}, candor.ReasonLineageMismatch, "era 1")
	s.do(at(4), tenure.Confirm{Era: 3, Holder: c, Predecessor: 1, Cite: seals[0]}, tenure.Confirm{Era: 3, Holder: c, Predecessor: 2, Cite: seals[1]})
	s.refuse(at(4), tenure.Close{Era: 3, Holder: c, Predecessor: 2}, candor.ReasonLineageMismatch, "before era 2")
	for s.l.Pending(c) != nil {
		s.do(at(4), s.l.Pending(c))
	}
	if len(s.l.Unfinished) != 0 || s.l.Finished.Number != 2 {
		t.Errorf("all handovers ended: %+v", s.l)
	}

	for i := range 3 * tenure.MaxUnfinished {
		s.do(at(4), s.campaign(c, fmt.Sprint("crash", i)))
	}
	if len(s.l.Unfinished) != tenure.MaxUnfinished {
		t.Errorf("want %d unfinished eras at most, got %d", tenure.MaxUnfinished, len(s.l.Unfinished))
	}
}

func TestExpiryFreesAndOnlyASealSilences(t *testing.T) {
	s := begin(t, "tso")
	if err := s.l.Fence(1); err == nil || err.Reason != candor.ReasonSchedulerDegraded {
		t.Errorf("nobody holds: %v", err)
	}
	s.do(at(0), s.campaign(a, "a1"))
	if until, ok := s.l.NextExpiry(); !ok || until != duration {
		t.Errorf("want the expiry at %d, got %d", duration, until)
	}
	if !s.l.Current.Expired(duration) || s.l.Current.Expired(duration-1) || s.l.Free(b, at(2)) != nil || s.l.Free(b, at(1)) == nil {
		t.Error("an era ends when its duration has passed, not before")
	}
	if err := s.l.Fence(1); err != nil {
		t.Errorf("an expired era that nobody sealed passes: %v", err)
	}
	if err := s.l.Fence(2); err == nil || err.Reason != candor.ReasonNotFound {
		t.Errorf("an era that was never granted: %v", err)
	}
	s.do(at(5), tenure.Renew{Era: 1, Holder: a})
	s.refuse(at(6), s.campaign(b, "b1"), candor.ReasonTenureHeld)
	if !s.l.Holds(a, 1) || s.l.Holds(b, 1) || s.l.Holds(a, 2) {
		t.Error("era 1 is a's")
	}
}

func TestOneStepNeverUsesUpTheValuesOfADuty(t *testing.T) {
	s := begin(t, "ids")
	far := s.campaign(a, "a1")
	far.Start = ids(tenure.MaxIDStep + 1)
	s.refuse(at(0), far, candor.ReasonInvalid, "too far")
	s.do(at(0), s.campaign(a, "a1"))
	s.refuse(at(0), tenure.Reserve{Era: 1, Holder: a, Bound: ids(1 << 63)}, candor.ReasonInvalid, "too far")
	today := tenure.Now{ClusterTime: 1_800_000_000_000_000_000, Term: 1}
	s.do(today, tenure.Reserve{Era: 1, Holder: a, Bound: tenure.Frontiers{Timestamp: tenure.TimestampAt(today.ClusterTime) + 3000<<tenure.TimestampBits}})
	s.refuse(today, tenure.Reserve{Era: 1, Holder: a, Bound: tenure.Frontiers{Timestamp: 1 << 62}}, candor.ReasonInvalid)
}

func TestMalformedCampaignsAreRefused(t *testing.T) {
	for _, row := range []struct {
		what   string
		duty   string
		edit   func(*tenure.Campaign)
		reason candor.Reason
	}{
		{"no party", "ids", func(e *tenure.Campaign) { e.Holder = "a" }, candor.ReasonInvalid},
		{"no name", "ids", func(e *tenure.Campaign) { e.Holder = "server/" }, candor.ReasonInvalid},
		{"a quote", "ids", func(e *tenure.Campaign) { e.Holder = `server/a"` }, candor.ReasonInvalid},
		{"a client and the coordinator's duty", "ids", func(e *tenure.Campaign) { e.Holder = "client/x" }, candor.ReasonForbidden},
		{"no candidacy", "control/x", func(e *tenure.Campaign) { e.Candidacy = "" }, candor.ReasonInvalid},
		{"a long candidacy", "ids", func(e *tenure.Campaign) { e.Candidacy = strings.Repeat("x", 65) }, candor.ReasonInvalid},
		{"no duration", "ids", func(e *tenure.Campaign) { e.Duration = 0 }, candor.ReasonInvalid},
		{"for ever", "ids", func(e *tenure.Campaign) { e.Duration = 1 << 62 }, candor.ReasonInvalid},
		{"an era to come", "ids", func(e *tenure.Campaign) { e.Expect = 1 }, candor.ReasonNotFound},
		{"a seal where there is none", "ids", func(e *tenure.Campaign) { e.Cite[3] = 1 }, candor.ReasonLineageMismatch},
	} {
		t.Run(row.what, func(t *testing.T) {
			s := begin(t, row.duty)
			e := s.campaign(a, "a1")
			row.edit(&e)
			s.refuse(at(0), e, row.reason)
		})
	}
}

func TestDutiesAndHoldersAreTheKnownOnes(t *testing.T) {
	for _, name := range []string{"janitor", "topology", "ids", "tso", "controllers", "schedule", "verify", "control/ingress.example.com"} {
		duty, err := tenure.DutyOf(name)
		if err != nil {
			t.Fatal(err)
		}
		back, err := tenure.DutyOfObject(duty.ObjectName())
		if err != nil || back != duty || candor.CheckName("name", duty.ObjectName()) != nil {
			t.Errorf("%s: object %s, back %v %v", name, duty.ObjectName(), back, err)
		}
		if belief := duty.Mandate == tenure.MandateBelief; belief != (name == "tso") {
			t.Errorf("%s: mandate %s", name, duty.Mandate)
		}
	}
	for _, name := range []string{"", "tenure", "control/", "control/A", "control/a/b", "control." + strings.Repeat("x", 300)} {
		if _, err := tenure.DutyOf(name); err == nil || err.Reason != candor.ReasonInvalid {
			t.Errorf("%q: %v", name, err)
		}
	}
	for actor, want := range map[string]string{"server/s1": "server/s1", "ana": "client/ana", "worker/w": "", "anonymous": "", "system": "", "": "", "server/": "", "client/x": ""} {
		if got, err := tenure.HolderOf(actor); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: want %q, got %q %v", actor, want, got, err)
		}
	}
}

func TestABeliefEndsBeforeTheRootsCountDoes(t *testing.T) {
	for _, row := range []struct {
		belief tenure.Belief
		drift  uint32
		want   int64
	}{
		{tenure.Belief{RenewSent: 100, Duration: 1_000_000}, 0, 1_000_100},
		{tenure.Belief{RenewSent: 100, Duration: 1_000_000}, 500, 999_600},
		{tenure.Belief{RenewSent: 0, Duration: 1}, 1, 0},
		{tenure.Belief{RenewSent: 0, Duration: 1_000_001}, 1, 999_999},
		{tenure.Belief{RenewSent: 7, Duration: 1_000}, 1_000_000, 7},
		{tenure.Belief{RenewSent: 7, Duration: -5}, 0, 7},
		{tenure.Belief{RenewSent: 1<<63 - 10, Duration: 1_000}, 0, 1<<63 - 1},
		{tenure.Belief{RenewSent: 0, Duration: 1<<63 - 1}, 999_999, 9_223_372_036_854},
	} {
		if got := row.belief.Until(row.drift); got != row.want {
			t.Errorf("%+v with %d ppm: want %d, got %d", row.belief, row.drift, row.want, got)
		}
		if row.belief.Holds(row.want, row.drift) {
			t.Errorf("%+v: holds at its end", row.belief)
		}
	}
}
