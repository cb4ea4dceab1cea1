package lineage_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/lineage"
)

const (
	eras    = "eras follow one another, each after the seal of the one before"
	silence = "nothing of a sealed era is accepted"
	belief  = "one holder at a time believes that it holds a duty"
)

// recorded is the history of life, as a file has it.
func recorded(t *testing.T) *lineage.Recording {
	t.Helper()
	ref, err := lineage.Ref("ids")
	if err != nil {
		t.Fatal(err)
	}
	h := life(t)
	h.Witness.ServedToken.Revision = 200
	return &lineage.Recording{Versions: []history.Versions{history.VersionsOf(ref, h, nil)}}
}

func verdictOf(t *testing.T, r *lineage.Recording, property string) history.Report {
	t.Helper()
	for _, one := range r.Check(1) {
		if one.Property == property {
			return one
		}
	}
	t.Fatal("no such property: " + property)
	return history.Report{}
}

func at(ns int64) history.Stamp { return history.Stamp{At: ns, Seq: uint64(ns)} }

func TestRecordedErasAreAudited(t *testing.T) {
	r := recorded(t)
	if got := verdictOf(t, r, eras); got.Verdict != history.Pass || got.Checked != 8 {
		t.Errorf("%+v", got)
	}
	for name, spoil := range map[string]func(v []history.Version) []history.Version{
		"less was used": func(v []history.Version) []history.Version {
			o := *v[5].Object
			o.Status = bytes.Replace(o.Status, []byte(`"usage":{"id":"65536"`), []byte(`"usage":{"id":"65535"`), 1)
			v[5].Object = &o
			return v
		},
		"a seal is left out": func(v []history.Version) []history.Version { return append(v[:1:1], v[7:]...) },
		"it was deleted":     func(v []history.Version) []history.Version { v[3].Deleted = true; return v },
	} {
		t.Run(name, func(t *testing.T) {
			r := recorded(t)
			r.Versions[0].Versions = spoil(r.Versions[0].Versions)
			if got := verdictOf(t, r, eras); got.Verdict != history.Violated || len(got.Violation.Exhibits) == 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestAWriteUnderAnotherEraIsFound: life seals era 1 at revision 102 and grants era 2
// there.
func TestAWriteUnderAnotherEraIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		act  lineage.Act
		want history.Verdict
	}{
		"in its era":        {lineage.Act{Holder: "server/u-1", Duty: "ids", Era: 1, Revision: 101}, history.Pass},
		"in the newest era": {lineage.Act{Holder: "server/u-1", Duty: "ids", Era: 3, Revision: 150}, history.Pass},
		"after the seal":    {lineage.Act{Holder: "server/u-1", Duty: "ids", Era: 1, Revision: 103}, history.Violated},
		"before the grant":  {lineage.Act{Holder: "server/u-2", Duty: "ids", Era: 2, Revision: 101}, history.Violated},
		"another's era":     {lineage.Act{Holder: "server/u-9", Duty: "ids", Era: 3, Revision: 150}, history.Violated},
		"an era unheard of": {lineage.Act{Holder: "server/u-1", Duty: "ids", Era: 9, Revision: 150}, history.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			r := recorded(t)
			r.Acts = []lineage.Act{c.act}
			if got := verdictOf(t, r, silence); got.Verdict != c.want {
				t.Errorf("%+v, want %s", got, c.want)
			}
			// The same write, as the cause of a version.
			if c.act.Holder == "server/u-9" {
				return
			}
			r.Acts = nil
			r.Versions = append(r.Versions, history.Versions{Key: "entries.test/a/b", Revision: 200, Versions: []history.Version{
				{Revision: c.act.Revision, Cause: &candor.Cause{Actor: c.act.Holder, Duty: "ids", Era: c.act.Era}},
			}})
			if got := verdictOf(t, r, silence); got.Verdict != c.want {
				t.Errorf("by its cause: %+v, want %s", got, c.want)
			}
		})
	}
}

// TestAnUnfencedControlFails: two holders that each do not hear when they lost the duty
// write all the time. Behind a fence the check passes; without one it must not, or it
// has no power.
func TestAnUnfencedControlFails(t *testing.T) {
	for fenced, want := range map[bool]history.Verdict{true: history.Pass, false: history.Violated} {
		for seed := range uint64(20) {
			if got := verdictOf(t, contended(t, seed, fenced), silence); got.Verdict != want {
				t.Errorf("fenced %v, seed %d: %+v", fenced, seed, got)
			}
		}
	}
}

func contended(t *testing.T, seed uint64, fenced bool) *lineage.Recording {
	t.Helper()
	duty, bad := tenure.DutyOf("janitor")
	if bad != nil {
		t.Fatal(bad)
	}
	random := rand.New(rand.NewPCG(seed, 3))
	ref, err := lineage.Ref("janitor")
	if err != nil {
		t.Fatal(err)
	}
	r := &lineage.Recording{Versions: []history.Versions{{Key: history.Key(ref)}}}
	l, v := tenure.New(duty), &r.Versions[0]
	holders := []string{"server/u-1", "server/u-2"}
	believed := [2]uint64{}
	now := int64(1e9)
	for revision := uint64(10); revision < 80; revision++ {
		who := random.IntN(2)
		if random.IntN(6) == 0 {
			now += 10e9 // whoever holds the duty has let it expire
			after, err := l.Apply(tenure.Now{ClusterTime: now, Term: 1}, tenure.Campaign{Holder: holders[who], Candidacy: holders[who], Expect: l.Current.Number, Cite: l.Current.Seal, Duration: 3e9})
			if err != nil {
				continue
			}
			l, believed[who] = after, after.Current.Number
			o := &candor.Object{Metadata: candor.Metadata{Name: "janitor", CreateRevision: 10}, Status: l.AppendStatus(nil)}
			v.Versions = append(v.Versions, history.Version{Revision: revision, Create: 10, Object: o})
			continue
		}
		if era := believed[who]; era != 0 && (!fenced || l.Fence(era) == nil) {
			r.Acts = append(r.Acts, lineage.Act{Holder: holders[who], Duty: "janitor", Era: era, Revision: revision})
		}
	}
	v.Revision = 80
	return r
}

func TestBeliefsThatOverlapAreFound(t *testing.T) {
	one := lineage.Belief{Holder: "server/u-1", Duty: "tso", Era: 1, From: at(10), To: at(20)}
	for name, c := range map[string]struct {
		next lineage.Belief
		want history.Verdict
	}{
		"one after the other": {lineage.Belief{Holder: "server/u-2", Duty: "tso", Era: 2, From: at(25)}, history.Pass},
		"at once":             {lineage.Belief{Holder: "server/u-2", Duty: "tso", Era: 2, From: at(19), To: at(30)}, history.Violated},
		"inside":              {lineage.Belief{Holder: "server/u-2", Duty: "tso", Era: 2, From: at(12), To: at(13)}, history.Violated},
		"of another duty":     {lineage.Belief{Holder: "server/u-2", Duty: "ids", Era: 2, From: at(12)}, history.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			got := verdictOf(t, &lineage.Recording{Beliefs: []lineage.Belief{c.next, one}}, belief)
			if got.Verdict != c.want || c.want == history.Violated && len(got.Violation.Exhibits) != 2 {
				t.Errorf("%+v, want %s", got, c.want)
			}
		})
	}
	endless := one
	endless.To = history.Stamp{}
	after := lineage.Belief{Holder: "server/u-2", Duty: "tso", Era: 2, From: at(1000)}
	if got := verdictOf(t, &lineage.Recording{Beliefs: []lineage.Belief{endless, after}}, belief); got.Verdict != history.Violated {
		t.Errorf("one that never ended: %+v", got)
	}
}
