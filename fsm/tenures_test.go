package fsm

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
)

func (r *root) lineage(duty string) tenure.Lineage {
	r.t.Helper()
	d, err := tenure.DutyOf(duty)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.m.View().Tenure(d)
}

func (r *root) tenure(duty, holder string, event tenure.Event) Result {
	c := command.Tenure(duty, holder, event)
	if name, client := strings.CutPrefix(holder, "client/"); client {
		c.Actor = name
	}
	return r.do(c)
}

func (r *root) mustTenure(duty, holder string, event tenure.Event) Result {
	r.t.Helper()
	res := r.tenure(duty, holder, event)
	if err := res.Err(); err != nil {
		r.t.Fatal(err)
	}
	return res
}

// sealedEra is the first of control/test, ana's, which used up to ID 60.
func sealedEra(r *root) tenure.Lineage {
	r.tenure("control/test", "client/ana", tenure.Campaign{Holder: "client/ana", Candidacy: "c1", Duration: int64(time.Second)})
	r.tenure("control/test", "client/ana", tenure.Reserve{Era: 1, Holder: "client/ana", Bound: tenure.Frontiers{ID: 100}})
	r.tenure("control/test", "client/ana", tenure.Seal{Era: 1, Holder: "client/ana", Usage: tenure.Frontiers{ID: 60}})
	return r.lineage("control/test")
}

func campaign(holder, candidacy string, l tenure.Lineage) tenure.Campaign {
	return tenure.Campaign{Holder: holder, Candidacy: candidacy, Expect: l.Current.Number, Cite: l.Current.Seal, Start: l.Current.Usage, Duration: int64(time.Second)}
}

// TestATenureIsShownAtEveryEraAndRenewedQuietly: who holds a duty is an object with
// a history; that it goes on holding it wakes no watcher.
func TestATenureIsShownAtEveryEraAndRenewedQuietly(t *testing.T) {
	r := newRoot(t)
	const janitor, a, b = tenure.DutyJanitor, "server/s1", "server/s2"
	granted := r.mustTenure(janitor, a, campaign(a, "a1", r.lineage(janitor)))
	ref := candor.Ref{Kind: candor.KindTenures, Name: janitor}
	if o := r.get(ref); !granted.Changed || !bytes.Contains(o.Status, []byte(`"holder":"server/s1"`)) || o.Cause.Duty != janitor {
		t.Fatalf("granted: %+v, object %+v", granted, o)
	}
	at, until := r.m.View().Token().Revision, r.lineage(janitor).Current.RenewedUntil
	digest := r.m.View().Digest()
	if res := r.mustTenure(janitor, a, tenure.Renew{Era: 1, Holder: a}); res.Changed || r.m.View().Token().Revision != at {
		t.Errorf("a renewal made revision %d of %d", r.m.View().Token().Revision, at)
	}
	if r.lineage(janitor).Current.RenewedUntil <= until || r.m.View().Digest() == digest {
		t.Error("a renewal did not last, or no digest shows it")
	}
	r.mustTenure(janitor, a, tenure.Seal{Era: 1, Holder: a, To: b})
	if res := r.tenure(janitor, a, campaign(a, "a2", r.lineage(janitor))); res.Reason == "" {
		t.Error("the duty is kept for another, and was granted")
	}
	r.mustTenure(janitor, b, campaign(b, "b1", r.lineage(janitor)))
	for pending := r.lineage(janitor).Pending(b); pending != nil; pending = r.lineage(janitor).Pending(b) {
		r.mustTenure(janitor, b, pending)
	}
	if l := r.lineage(janitor); l.Current.Number != 2 || l.Current.Holder != b || len(l.Unfinished) != 0 || l.Finished.State != tenure.StateClosed {
		t.Errorf("after the handover: %+v", l)
	}
	var versions []tenure.Lineage
	for v := range chainOf(r.m.View(), ref) {
		o := mustDecode(v)
		l, err := tenure.ReadStatus(o.Status)
		if err != nil {
			t.Fatal(err)
		}
		versions = append([]tenure.Lineage{l}, versions...)
	}
	if v := tenure.Audit(versions); len(versions) != 5 || v != nil {
		t.Errorf("%d versions, audit %v", len(versions), v)
	}
}

// TestAWriteOfAnEraThatIsOverChangesNothing, nor one of somebody else's.
func TestAWriteOfAnEraThatIsOverChangesNothing(t *testing.T) {
	r := newRoot(t)
	const duty, a = tenure.DutyTopology, "server/s1"
	write := func(holder string, era uint64, name string) Result {
		c := r.writeCommand(create("default", name, `{}`))
		c.Actor, c.Duty, c.Era, c.Holder = candor.ActorSystem, duty, era, holder
		return r.do(c)
	}
	if res := write(a, 1, "early"); res.Reason != candor.ReasonSchedulerDegraded {
		t.Errorf("before any era: %+v", res)
	}
	r.mustTenure(duty, a, campaign(a, "a1", r.lineage(duty)))
	if res := write(a, 1, "good"); res.Err() != nil {
		t.Fatalf("under its own era: %+v", res)
	}
	if o := r.get(widget("default", "good")); o.Cause.Duty != duty || o.Cause.Era != 1 {
		t.Errorf("its cause: %+v", o.Cause)
	}
	r.mustTenure(duty, a, tenure.Seal{Era: 1, Holder: a})
	for name, res := range map[string]Result{
		"sealed": write(a, 1, "sealed"), "never granted": write(a, 7, "future"),
		"a renewal": r.tenure(duty, a, tenure.Renew{Era: 1, Holder: a}),
	} {
		if res.Reason == "" || res.Changed {
			t.Errorf("%s: %+v", name, res)
		}
	}
	r.mustTenure(duty, "server/s2", campaign("server/s2", "b1", r.lineage(duty)))
	if res := write(a, 2, "stolen"); res.Reason != candor.ReasonForbidden {
		t.Errorf("the era is another's: %+v", res)
	}
	for _, name := range []string{"early", "sealed", "future", "stolen"} {
		if r.get(widget("default", name)) != nil {
			t.Errorf("%s was written", name)
		}
	}
}

// TestNobodyHoldsForAnother, and the objects that show tenures are the root's.
func TestNobodyHoldsForAnother(t *testing.T) {
	r := newRoot(t)
	as := func(actor, holder, duty string) Result {
		c := command.Tenure(duty, holder, tenure.Campaign{Holder: holder, Candidacy: "x", Duration: int64(time.Second)})
		c.Actor = actor
		return r.do(c)
	}
	for _, row := range [][3]string{
		{"ana", "server/s1", tenure.DutyJanitor}, {"ana", "client/bob", "control/x"}, {"ana", "client/ana", tenure.DutyJanitor},
		{candor.ActorSystem, "client/ana", "control/x"}, {candor.ActorAnonymous, "client/anonymous", "control/x"}, {"worker/w", "client/worker/w", "control/x"},
	} {
		if res := as(row[0], row[1], row[2]); res.Reason != candor.ReasonForbidden {
			t.Errorf("%s campaigns for %s as %s: %+v", row[0], row[2], row[1], res)
		}
	}
	if res := as("ana", "client/ana", "sweeping"); res.Reason != candor.ReasonInvalid {
		t.Errorf("no such duty: %+v", res)
	}
	r.mustTenure(tenure.DutyJanitor, "server/s1", campaign("server/s1", "a1", r.lineage(tenure.DutyJanitor)))
	held := *r.get(candor.Ref{Kind: candor.KindTenures, Name: tenure.DutyJanitor})
	for what, op := range map[string]command.Operation{
		"create": {Verb: command.VerbCreate, Kind: candor.KindTenures, Object: object("Tenure", "", "tso", `{}`)},
		"update": {Verb: command.VerbUpdate, Kind: candor.KindTenures, Object: &held},
		"status": {Verb: command.VerbUpdateStatus, Kind: candor.KindTenures, Name: tenure.DutyJanitor, Payload: []byte(`{}`)},
		"delete": remove(candor.KindTenures, "", tenure.DutyJanitor, ""),
	} {
		if res := r.write(op); res.Reason != candor.ReasonForbidden {
			t.Errorf("%s: %+v", what, res)
		}
	}
}

// TestTenuresSurviveASnapshotAndAReplay to the bit.
func TestTenuresSurviveASnapshotAndAReplay(t *testing.T) {
	r := newRoot(t)
	sealedEra(r)
	r.mustTenure(tenure.DutyTSO, "server/s1", campaign("server/s1", "a1", r.lineage(tenure.DutyTSO)))
	r.mustTenure(tenure.DutyTSO, "server/s1", tenure.Reserve{Era: 1, Holder: "server/s1", Bound: tenure.Frontiers{Timestamp: 1 << 20}})
	restored := New(Config{ClusterID: "c1"})
	if err := restored.Restore(bytes.NewReader(snapshotOf(t, r.m))); err != nil {
		t.Fatal(err)
	}
	replayed := New(Config{ClusterID: "c1"})
	replayed.Apply(r.log)
	for _, m := range []*Machine{restored, replayed} {
		if m.View().Digest() != r.m.View().Digest() || len(m.View().Tenures()) != 2 {
			t.Errorf("digest %x of %d tenures, want %x", m.View().Digest(), len(m.View().Tenures()), r.m.View().Digest())
		}
	}
	if got := restored.View().Tenures()[1].Current; got != r.m.View().Tenures()[1].Current {
		t.Errorf("restored %+v", got)
	}
}
