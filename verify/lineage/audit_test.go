package lineage_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/lineage"
)

// life is a duty's history as the root would write it: three eras, of which the second
// was taken from a holder that had crashed.
func life(t *testing.T) *client.History {
	t.Helper()
	duty, bad := tenure.DutyOf("ids")
	if bad != nil {
		t.Fatal(bad)
	}
	l := tenure.New(duty)
	h := &client.History{Floor: 1}
	revision := uint64(100)
	step := func(at int64, e func(l tenure.Lineage) tenure.Event) {
		t.Helper()
		after, err := l.Apply(tenure.Now{ClusterTime: at, Term: 1, Leader: "server/u-1"}, e(l))
		if err != nil {
			t.Fatal(err)
		}
		if tenure.Compare(l, after) == tenure.Shown {
			revision++
			o := &candor.Object{APIVersion: candor.APIVersion, Kind: "Tenure", Status: after.AppendStatus(nil)}
			o.Metadata = candor.Metadata{Name: "ids", CreateRevision: 101, ResourceVersion: revision}
			h.Versions = slices.Insert(h.Versions, 0, client.Version{Revision: revision, Object: o})
		}
		l = after
	}
	campaign := func(by string, start uint64) func(tenure.Lineage) tenure.Event {
		return func(l tenure.Lineage) tenure.Event {
			return tenure.Campaign{Holder: by, Candidacy: by, Expect: l.Current.Number, Cite: l.Current.Seal, Start: tenure.Frontiers{ID: start}, Duration: 3e9}
		}
	}
	pending := func(by string) func(tenure.Lineage) tenure.Event {
		return func(l tenure.Lineage) tenure.Event { return l.Pending(by) }
	}
	step(1e9, campaign("server/u-1", 0))
	step(1e9, func(tenure.Lineage) tenure.Event {
		return tenure.Reserve{Era: 1, Holder: "server/u-1", Bound: tenure.Frontiers{ID: 65536}}
	})
	step(9e9, func(tenure.Lineage) tenure.Event {
		return tenure.Campaign{Holder: "server/u-2", Candidacy: "c", Expect: 1, Duration: 3e9}
	})
	step(9e9, pending("server/u-2"))
	step(9e9, pending("server/u-2"))
	step(10e9, func(tenure.Lineage) tenure.Event {
		return tenure.Seal{Era: 2, Holder: "server/u-2", Usage: tenure.Frontiers{ID: 65536}, To: "server/u-1"}
	})
	step(11e9, campaign("server/u-1", 65536))
	step(11e9, pending("server/u-1"))
	step(11e9, pending("server/u-1"))
	return h
}

func TestAHistoryThatTheRootWroteIsInOrder(t *testing.T) {
	h := life(t)
	got, err := lineage.Audit("ids", h)
	if err != nil {
		t.Fatal(err)
	}
	want := lineage.Report{Duty: "ids", Versions: 8, From: 101, To: 108, First: 1, Last: 3, Whole: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	// What is compacted is not covered, and held against nobody.
	for gone := range len(h.Versions) {
		rest := &client.History{Versions: h.Versions[:len(h.Versions)-gone]}
		got, err := lineage.Audit("ids", rest)
		if err != nil || got.Violation != nil || got.Whole != (gone == 0) || got.Last != 3 {
			t.Errorf("without the first %d versions: %+v, %v", gone, got, err)
		}
	}
	if got, err := lineage.Audit("ids", &client.History{}); err != nil || got.Versions != 0 || got.Violation != nil {
		t.Errorf("of nothing: %+v, %v", got, err)
	}
}

func TestAHistoryThatWasTamperedWithIsFound(t *testing.T) {
	for name, change := range map[string]struct {
		guarantee string
		do        func(h *client.History)
	}{
		"another holder": {"finality", func(h *client.History) {
			replace(h, 2, `"holder":"server/u-2","state":"SEALED"`, `"holder":"server/u-9","state":"SEALED"`)
		}},
		"less was used":      {"finality", func(h *client.History) { replace(h, 2, `"usage":{"id":"65536"`, `"usage":{"id":"65535"`) }},
		"a seal is left out": {"inheritance", func(h *client.History) { h.Versions = append(h.Versions[:1:1], h.Versions[7:]...) }},
		"they come backward": {"finality", func(h *client.History) { slices.Reverse(h.Versions) }},
		"a start below": {"inheritance", func(h *client.History) {
			replace(h, 1, `"state":"ACTIVE","grantedAt":"11000000000","duration":"3000000000","start":{"id":"65536"`, `"state":"ACTIVE","grantedAt":"11000000000","duration":"3000000000","start":{"id":"7"`)
			h.Versions = h.Versions[1:2]
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := life(t)
			change.do(h)
			got, err := lineage.Audit("ids", h)
			if err != nil || got.Violation == nil || got.Violation.Guarantee != change.guarantee {
				t.Errorf("%+v, %+v, %v: want a violation of %s", got, got.Violation, err, change.guarantee)
			}
		})
	}
}

func replace(h *client.History, at int, was, is string) {
	o := *h.Versions[at].Object
	o.Status = bytes.Replace(o.Status, []byte(was), []byte(is), 1)
	h.Versions[at].Object = &o
}

func TestWhatIsNoTenureIsDamage(t *testing.T) {
	for name, spoil := range map[string]func(v *client.Version){
		"deleted":   func(v *client.Version) { v.Deleted = true },
		"no object": func(v *client.Version) { v.Object = nil },
		"no status": func(v *client.Version) { v.Object.Status = nil },
		"another duty": func(v *client.Version) {
			v.Object.Status = bytes.Replace(v.Object.Status, []byte(`"ids"`), []byte(`"tso"`), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := life(t)
			spoil(&h.Versions[3])
			if _, err := lineage.Audit("ids", h); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
				t.Errorf("%v, want DATA_CORRUPT", err)
			}
		})
	}
}

func TestADutyHasAnObject(t *testing.T) {
	for duty, name := range map[string]string{"janitor": "janitor", "tso": "tso", "control/web": "control.web"} {
		if ref, err := lineage.Ref(duty); err != nil || ref != (candor.Ref{Kind: candor.KindTenures, Name: name}) {
			t.Errorf("%s: %v, %v", duty, ref, err)
		}
	}
	if _, err := lineage.Ref("cleaning"); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("%v, want INVALID", err)
	}
}
