package evidence_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
)

const header = `{"format":"candor-history/1"}` + "\n"

// everything is a recording with a record of every kind.
func everything(t *testing.T) *evidence.Evidence {
	t.Helper()
	r := evidence.NewRecorder()
	value := history.Label("v")
	entry := &candor.Object{APIVersion: "test/v1", Kind: "Entry", Metadata: candor.Metadata{Name: "a", Namespace: "n", ResourceVersion: 5, CreateRevision: 3, Labels: map[string]string{"v": "one"}}, Spec: []byte(`{"x":1}`)}
	ref := candor.Ref{Kind: "entries.test", Namespace: "n", Name: "a"}
	token := candor.Token{Term: 1, Index: 9, Revision: 5}

	put := r.History().Begin(history.Operation{Client: "c", Kind: history.KindPut, Items: []history.Item{{Key: history.Key(ref), Value: "one"}}})
	put.Answered(history.Answer{Token: token, Witness: candor.Witness{NodeID: "n1", BootID: "b1", ServedToken: token}})

	w := r.Watch("all", client.WatchOptions{Kind: ref.Kind, WithPrevious: true, AfterRevision: 4}, value, nil)
	w.Batch(client.WatchBatch{Revision: 4, Bookmark: true, Witness: &candor.Witness{NodeID: "n1", ServedToken: token}})
	w.Batch(client.WatchBatch{Revision: 5, Events: []candor.Event{{Type: candor.EventModified, Revision: 5, Object: entry, Previous: &candor.Object{Metadata: candor.Metadata{Name: "a", Namespace: "n", ResourceVersion: 3}}}}})
	w.Ended(candor.Errorf(candor.ReasonCanceled, "closed"))
	r.Watch("again", client.WatchOptions{Kind: ref.Kind, AfterRevision: 5, Selector: "v=one"}, value, w)
	r.Compacted(2, token)

	if err := r.Numbers(tenure.DutyTSO).Ask(tenure.DutyTSO, "server/n1", func() (uint64, uint64, uint64, error) { return 10, 3, 1, nil }); err != nil {
		t.Fatal(err)
	}
	belief := r.Believes("server/n1", tenure.DutyTSO, 1)
	r.Acted("ana", "control/web", 1, 5, history.Key(ref), r.Stamp())
	belief.Ceases()
	r.Versions(ref, &client.History{Floor: 2, Witness: candor.Witness{NodeID: "n1", ServedToken: token}, Versions: []client.Version{{Revision: 5, Object: entry}}}, value)
	entry.Cause = &candor.Cause{Actor: "ana", Duty: "control/web", Era: 1}
	r.Versions(ref, &client.History{Witness: candor.Witness{ServedToken: token}, Versions: []client.Version{{Revision: 5, Object: entry}}}, nil)
	r.Gone(candor.Ref{Kind: ref.Kind, Namespace: "n", Name: "b"}, 5)
	r.Final(ref.Kind, "n", 5, "n1", []*candor.Object{entry}, value)
	r.Repeated("c", "r-1", history.Key(ref), token, token, nil)
	r.Claims("i-uid", "team/i", "w1-uid", "s").Ends()
	r.Claims("j-uid", "team/j", "w1-uid", "s")
	r.Decision("d-8-0", "team/i", candor.Replay{Same: true})
	r.Decision("d-9-0", "team/j", candor.Replay{Reason: candor.ReasonReplayUnavailable, Message: "compacted"})
	r.Digest("n1", "b1", 9, []byte{0xab, 1})
	r.Digest("n2", "b2", 9, []byte{0xab, 1})
	r.Replayed("snapshot@4", "n1", 9, []byte{0xab, 1})
	r.Violations(&client.NodeReport{NodeID: "n1", BootID: "b1", Applied: token, State: &client.StateStatus{}}, nil)
	e, err := r.Evidence()
	if err != nil {
		t.Fatal(err)
	}
	e.Source = "a test"
	return e
}

func written(t *testing.T, e *evidence.Evidence) string {
	t.Helper()
	var out bytes.Buffer
	if err := evidence.Write(&out, e); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestAFileReadsBackAsItWasWritten, every kind of record in it.
func TestAFileReadsBackAsItWasWritten(t *testing.T) {
	first := written(t, everything(t))
	for _, record := range []string{"watch", "batch", "watch-end", "floor", "number", "belief", "act", "versions", "final", "repeat", "claim", "decision", "digest", "replay", "turns"} {
		if !strings.Contains(first, `{"record":"`+record+`"`) {
			t.Errorf("no record %q was written", record)
		}
	}
	e, err := evidence.Read(strings.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, written(t, e)); diff != "" || e.Source != "a test" {
		t.Errorf("written again (-first +again):\n%s", diff)
	}
	if s := evidence.Check(e, evidence.Demands{}); s.Verdict() != history.Pass {
		t.Errorf("%s", s)
	}
}

// TestAFileOfOperationsAloneReads as it did before there were other records.
func TestAFileOfOperationsAloneReads(t *testing.T) {
	e, err := evidence.Read(strings.NewReader(header +
		`{"client":"c1","kind":"CREATE","items":[{"key":"k","value":"1"}],"outcome":"OK","invoke":0,"return":5,"token":{"term":1,"index":7,"revision":2}}` + "\n"))
	if err != nil || e.History.Len() != 1 {
		t.Fatalf("%+v, %v", e, err)
	}
	var out bytes.Buffer
	if err := history.Write(&out, e.History, ""); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out.String(), written(t, e)); diff != "" {
		t.Errorf("written (-as operations +as evidence):\n%s", diff)
	}
}

// TestTheFilesOfTheDesignRead: what DESIGN.md shows as a file is one.
func TestTheFilesOfTheDesignRead(t *testing.T) {
	text, err := os.ReadFile("DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```jsonl\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("DESIGN.md shows no file")
	}
	e, err := evidence.Read(strings.NewReader(example))
	if err != nil {
		t.Fatal(err)
	}
	if s := evidence.Check(e, evidence.Demands{}); s.Verdict() != history.Pass {
		t.Errorf("%s", s)
	}
}

// TestWhatIsNoRecordIsRefusedWithItsLine.
func TestWhatIsNoRecordIsRefusedWithItsLine(t *testing.T) {
	watch := `{"record":"watch","stream":"w","kind":"entries.test","at":1}` + "\n"
	for name, c := range map[string]struct{ lines, words string }{
		"an unknown kind":               {`{"record":"rumour","at":1}`, `line 2: record "rumour" is unknown`},
		"a kind that is no text":        {`{"record":7}`, "line 2: a record of no kind"},
		"a kind that does not end":      {`{"record":"dig`, "line 2: "},
		"a record that is not first":    {`{"node":"n","record":"digest"}`, `line 2: json: unknown field|field "node" is unknown`},
		"an unknown field":              {`{"record":"digest","node":"n","index":1,"digest":"a","host":"x"}`, `field "host" is unknown`},
		"another case":                  {`{"record":"digest","Node":"n","index":1,"digest":"a"}`, `field "Node" is unknown`},
		"a field twice":                 {`{"record":"digest","node":"n","node":"n","index":1,"digest":"a"}`, `field "node" is given twice`},
		"a label twice":                 {watch + `{"record":"batch","stream":"w","revision":3,"at":2,"events":[{"type":"ADDED","revision":3,"key":"k","labels":{"a":"1","a":"2"}}]}`, `line 3: field "a" is given twice`},
		"no index":                      {`{"record":"digest","node":"n","digest":"a"}`, "line 2: a digest needs"},
		"a batch of no watch":           {`{"record":"batch","stream":"w","revision":3,"at":2}`, `line 2: stream "w" has not begun`},
		"a watch twice":                 {watch + strings.TrimSpace(watch), `line 3: stream "w" begins twice`},
		"a batch after the end":         {watch + `{"record":"watch-end","stream":"w","at":2}` + "\n" + `{"record":"batch","stream":"w","revision":3,"at":3}`, `line 4: stream "w" has ended`},
		"a batch before the one before": {watch + `{"record":"batch","stream":"w","revision":3,"at":3}` + "\n" + `{"record":"batch","stream":"w","revision":4,"at":2}`, `line 4: stream "w" at 2ns`},
		"an event of no type":           {watch + `{"record":"batch","stream":"w","revision":3,"at":3,"events":[{"type":"CHANGED","revision":3,"key":"k"}]}`, `line 3: event type "CHANGED"`},
		"a selector that is none":       {`{"record":"watch","stream":"w","kind":"entries.test","selector":"a in","at":1}`, `line 2: stream "w": `},
		"versions out of order":         {`{"record":"versions","key":"k","revision":9,"versions":[{"revision":4},{"revision":3}]}`, "line 2: versions of k at revisions 4 and 3"},
		"a version after its reading":   {`{"record":"versions","key":"k","revision":3,"versions":[{"revision":4}]}`, "line 2: a version of k of revision 4, read at revision 3"},
		"a belief that ends first":      {`{"record":"belief","holder":"h","duty":"tso","era":1,"from":{"at":5},"to":{"at":4}}`, "line 2: an interval ends before it begins"},
		"a decision with no reason":     {`{"record":"decision","id":"d","same":false}`, "line 2: a decision needs"},
		"a list with a key twice":       {`{"record":"final","scope":"k","revision":3,"items":[{"key":"k"},{"key":"k"}]}`, `line 2: final: key "k"`},
		"an object that is none":        {`{"record":"versions","key":"k","revision":9,"versions":[{"revision":4,"object":{"kind":"x","bogus":1}}]}`, "line 2: "},
		"cut off":                       {`{"record":"digest","node":"n","index":1,"digest":"a"}` + "\n" + `{"record":"dig`, "line 3: "},
	} {
		t.Run(name, func(t *testing.T) {
			end := "\n"
			if name == "cut off" {
				end = ""
			}
			_, err := evidence.Read(strings.NewReader(header + c.lines + end))
			if candor.ReasonOf(err) != candor.ReasonInvalid {
				t.Fatalf("%v: want INVALID", err)
			}
			if first, second, _ := strings.Cut(c.words, "|"); !strings.Contains(err.Error(), first) && (second == "" || !strings.Contains(err.Error(), second)) {
				t.Errorf("%v: want %q", err, c.words)
			}
		})
	}
}
