package history_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

func file(t testing.TB, h *history.History) string {
	t.Helper()
	var out bytes.Buffer
	if err := history.Write(&out, h, "a test"); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAFileIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := newModel(rapid.Uint64().Draw(r, "seed"), 3)
		h := mustTake(r, m.run(3, rapid.IntRange(1, 60).Draw(r, "operations")))
		again, err := history.Read(strings.NewReader(file(t, h)))
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(operations(h), operations(again)); diff != "" {
			r.Fatalf("(-written +read):\n%s", diff)
		}
	})
}

func operations(h *history.History) []history.Operation {
	var all []history.Operation
	for o := range h.All() {
		all = append(all, *o)
	}
	return all
}

const first = `{"format":"candor-history/1"}` + "\n"

const get = `{"client":"c","kind":"GET","items":[{"key":"a","value":"1","version":2}],"outcome":"OK","invoke":1,"return":2}` + "\n"

// TestAFileOfAnotherSystemNeedsLittle: no witness, no class, no sequence
// numbers, tokens of revisions alone, lines in any order.
func TestAFileOfAnotherSystemNeedsLittle(t *testing.T) {
	h, err := history.Read(strings.NewReader(first +
		`{"client":"c","kind":"GET","items":[{"key":"a","value":"1","version":2}],"outcome":"OK","invoke":30,"return":40,"token":{"term":0,"index":0,"revision":2}}` + "\n" +
		`{"client":"c","kind":"PUT","items":[{"key":"a","value":"1"}],"outcome":"OK","invoke":10,"return":20,"token":{"term":0,"index":0,"revision":2}}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s := history.Check(h, history.Linearizable(1)...); s.Verdict() != history.Pass {
		t.Error(s)
	}
}

func TestTheReaderNamesTheLineThatItRefuses(t *testing.T) {
	op := func(fields string) string {
		return first + get + `{"client":"c","kind":"GET","items":[{"key":"a"}],"outcome":"OK","invoke":1,"return":2` + fields + "}\n"
	}
	for name, c := range map[string]struct{ file, says string }{
		"nothing":              {"", "line 1: empty"},
		"no header":            {get, "line 1"},
		"another format":       {`{"format":"candor-history/2"}` + "\n", "line 1"},
		"an empty line":        {first + "\n" + get, "line 2: an empty line"},
		"cut off":              {first + get[:len(get)-1], "line 2: a line without an end"},
		"no JSON":              {first + get + "{\n", "line 3"},
		"two values":           {first + get[:len(get)-1] + "{}\n", "line 2: invalid character"},
		"an unknown field":     {op(`,"colour":1`), "line 3"},
		"another case":         {op(`,"Message":"x"`), `line 3: field "Message" is unknown`},
		"a field twice":        {op(`,"invoke":2`), `line 3: field "invoke" is given twice`},
		"a nested one twice":   {op(`,"token":{"term":1,"term":2}`), `line 3: field "term" is given twice`},
		"an escaped name":      {op(`,"a\u0074":1`), "line 3"},
		"a float":              {op(`,"at":1.5`), "line 3"},
		"an unknown kind":      {strings.Replace(op(""), `"a"}],"outcome"`, `"a"}],"kind":"READ","outcome"`, 1), "line 3"},
		"half the numbers":     {op(`,"invokeSeq":1`), "line 3: sequence numbers"},
		"numbers in one only":  {op(`,"invokeSeq":1,"returnSeq":2`), "line 3: sequence numbers"},
		"an unchanged read":    {op(`,"unchanged":true`), "line 3: a read that is unchanged"},
		"a scope of a get":     {op(`,"scope":"a"`), "line 3: GET with a scope"},
		"a reason of success":  {op(`,"reason":"CONFLICT"`), "line 3: outcome OK with reason"},
		"two tokens":           {op(`,"token":{"term":1,"index":1,"revision":1},"witness":{"nodeID":"n","bootID":"b","servedRootToken":{"term":1,"index":1,"revision":2},"servedByLeader":false,"clusterTime":0}`), "line 3: the read's token"},
		"a negative staleness": {op(`,"asked":{"maxStaleness":-1}`), "line 3"},
		"an unknown class":     {op(`,"asked":{"freshness":"FRESH"}`), "line 3: freshness"},
	} {
		_, err := history.Read(strings.NewReader(c.file))
		if candor.ReasonOf(err) != candor.ReasonInvalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want INVALID with %q", name, err, c.says)
		}
	}
}

func TestAnOperationThatIsRecordedWronglyIsRefused(t *testing.T) {
	good := history.Operation{Client: "c", Kind: history.KindPut, Items: []history.Item{{Key: "a", Value: "1"}}, Outcome: history.OutcomeOK, Return: 1}
	for name, wrong := range map[string]func(*history.Operation){
		"no client":             func(o *history.Operation) { o.Client = "" },
		"no outcome":            func(o *history.Operation) { o.Outcome = "" },
		"returns before it is":  func(o *history.Operation) { o.Invoke = 2 },
		"no item":               func(o *history.Operation) { o.Items = nil },
		"no key":                func(o *history.Operation) { o.Items[0].Key = "" },
		"a write with contract": func(o *history.Operation) { o.Asked = &history.Asked{} },
		"a put of nothing":      func(o *history.Operation) { o.Items[0] = history.Item{Key: "a", Absent: true} },
		"a delete of something": func(o *history.Operation) { o.Kind = history.KindDelete },
		"a key twice in one":    func(o *history.Operation) { o.Kind, o.Items = history.KindTxn, []history.Item{{Key: "a"}, {Key: "a"}} },
		"absent with a value":   func(o *history.Operation) { o.Kind, o.Items[0].Absent = history.KindTxn, true },
		"going in a read":       func(o *history.Operation) { o.Kind, o.Items[0].Going = history.KindGet, true },
		"an unknown read":       func(o *history.Operation) { o.Kind, o.Outcome = history.KindGet, history.OutcomeUnknown },
		"a refusal at a token":  func(o *history.Operation) { o.Outcome, o.Token.Revision = history.OutcomeFailed, 1 },
		"a write of the past":   func(o *history.Operation) { o.At = 1 },
	} {
		o := good
		o.Items = []history.Item{good.Items[0]}
		wrong(&o)
		if _, err := history.New([]history.Operation{good, o}); candor.ReasonOf(err) != candor.ReasonInvalid || !strings.Contains(err.Error(), "operation 2") {
			t.Errorf("%s: %v, want INVALID for operation 2", name, err)
		}
	}
}

// FuzzRead: whatever the file, the reader refuses it with a reason, or what it
// read can be checked, written, and read as the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(first + get))
	f.Add([]byte(first + get[:20]))
	f.Add([]byte(first + strings.Replace(get, `"version":2`, `"version":2,"version":3`, 1)))
	for seed := range uint64(3) {
		h, err := history.New(newModel(seed, 2).run(2, 6))
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(file(f, h)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := history.Read(bytes.NewReader(data))
		if err != nil {
			if candor.ReasonOf(err) != candor.ReasonInvalid {
				t.Fatalf("refused without INVALID: %v", err)
			}
			return
		}
		if h.Len() < 50 {
			_ = history.Check(h, history.Standard(1)...).String()
		}
		once := file(t, h)
		again, err := history.Read(strings.NewReader(once))
		if err != nil {
			t.Fatalf("cannot read what was written: %v\n%s", err, once)
		}
		if twice := file(t, again); twice != once {
			t.Fatalf("written\n%s\nthen\n%s", once, twice)
		}
	})
}
