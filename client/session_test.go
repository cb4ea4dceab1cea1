package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

func served(at candor.Token) candor.Witness {
	return candor.Witness{NodeID: "n", BootID: "b", ClusterID: "c1", HistoryID: "h1", ServedToken: at}
}

func TestASessionOnlyRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := client.NewSession()
		var highest candor.Token
		for range rapid.IntRange(1, 20).Draw(t, "answers") {
			at := token(rapid.Uint64Range(0, 50).Draw(t, "at"))
			if err := s.Observe(served(at)); err != nil {
				t.Fatal(err)
			}
			if at.Covers(highest) {
				highest = at
			}
			if got := s.Token().Token; got != highest && (highest.Index != 0 || got.Index != 0) {
				t.Fatalf("after %v the session is at %v, want %v", at, got, highest)
			}
		}
	})
}

func TestASessionRefusesAnotherHistory(t *testing.T) {
	s := client.NewSession()
	noError(t, s.Observe(served(token(5))))
	other := served(token(9))
	other.HistoryID = "h2"
	wantReason(t, s.Observe(other), candor.ReasonHistoryMismatch)
	other = served(token(9))
	other.ClusterID = "c2"
	wantReason(t, s.Observe(other), candor.ReasonHistoryMismatch)
	conflict := served(candor.Token{Term: 2, Index: 5, Revision: 5})
	wantReason(t, s.Observe(conflict), candor.ReasonTokenConflict)
	crossed := served(candor.Token{Term: 2, Index: 6, Revision: 4})
	wantReason(t, s.Observe(crossed), candor.ReasonTokenConflict)
	if got := s.Token().Token; got != token(5) {
		t.Errorf("a refused witness moved the session to %v", got)
	}
	noError(t, s.Observe(candor.Witness{ServedToken: token(6)})) // a node that does not name itself
	if got := s.Token(); got.Index != 6 || got.ClusterID != "c1" || got.HistoryID != "h1" {
		t.Errorf("session %+v", got)
	}
}

func TestASessionIsPortable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := client.NewSession()
		w := served(candor.Token{
			Term: rapid.Uint64().Draw(t, "term"), Index: rapid.Uint64Min(1).Draw(t, "index"), Revision: rapid.Uint64().Draw(t, "revision"),
		})
		w.ClusterID, w.HistoryID = rapid.StringN(1, 20, -1).Draw(t, "cluster"), rapid.StringN(1, 20, -1).Draw(t, "history")
		if err := s.Observe(w); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var again client.Session
		if err := json.Unmarshal(data, &again); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if again.Token() != s.Token() {
			t.Fatalf("%s reads as %+v, want %+v", data, again.Token(), s.Token())
		}
	})
	data, err := json.Marshal(client.NewSession())
	var empty client.Session
	if err != nil || json.Unmarshal(data, &empty) != nil || !empty.Token().IsZero() {
		t.Errorf("a new session: %s, %v", data, err)
	}
}

// The saved form is a contract between versions of this package: these bytes.
func TestASavedSessionIsTheseBytes(t *testing.T) {
	s := client.NewSession()
	w := served(candor.Token{Term: 7, Index: 1042, Revision: 977})
	noError(t, s.Observe(w))
	for duty, era := range map[string]uint64{"tso": 4, "alloc": 12, "control/web": 3} {
		w.Era = era
		noError(t, s.ObserveDuty(duty, w))
	}
	got, err := json.Marshal(s)
	noError(t, err)
	golden, err := os.ReadFile("testdata/session.json")
	noError(t, err)
	if want := strings.TrimSpace(string(golden)); string(got) != want {
		t.Errorf("saved as\n%s, want\n%s", got, want)
	}
	again := new(client.Session)
	noError(t, json.Unmarshal(got, again))
	if again.Token() != s.Token() || again.Era("tso") != 4 || again.Era("alloc") != 12 || again.Era("control/web") != 3 || again.Era("janitor") != 0 {
		t.Errorf("%s reads as %+v", got, again)
	}
	w.Era = 3
	wantReason(t, again.ObserveDuty("tso", w), candor.ReasonInvariantViolated)
}

// The form of before there were versions and eras.
func TestASessionSavedByAnEarlierVersionIsTakenUp(t *testing.T) {
	var s client.Session
	noError(t, json.Unmarshal([]byte(`{"term":1,"index":2,"revision":3,"clusterID":"c1","historyID":"h1"}`), &s))
	if want := (candor.PortableToken{Token: candor.Token{Term: 1, Index: 2, Revision: 3}, ClusterID: "c1", HistoryID: "h1"}); s.Token() != want {
		t.Errorf("read as %+v", s.Token())
	}
	err := json.Unmarshal([]byte(`{"version":2,"tokens":[]}`), &s)
	if candor.ReasonOf(err) != candor.ReasonInvalid || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a session of a later version: %v", err)
	}
}

// A former holder of a duty is not listened to, however sure of itself it is.
func TestAnAnswerOfALowerEraIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		options []client.ReadOption
		era     uint64
		want    candor.Reason
	}{
		"the era seen":      {[]client.ReadOption{client.WithDuty("tso")}, 4, ""},
		"a later one":       {[]client.ReadOption{client.WithDuty("tso")}, 5, ""},
		"an earlier one":    {[]client.ReadOption{client.WithDuty("tso")}, 3, candor.ReasonInvariantViolated},
		"none":              {[]client.ReadOption{client.WithDuty("tso")}, 0, candor.ReasonInvariantViolated},
		"of another duty":   {[]client.ReadOption{client.WithDuty("alloc")}, 1, ""},
		"of no duty":        {nil, 1, ""},
		"without a session": {[]client.ReadOption{client.WithDuty("tso"), client.WithoutSession()}, 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, "n1")
			n1 := s.node("n1")
			session := client.NewSession()
			seen := served(token(5))
			seen.Era = 4
			noError(t, session.ObserveDuty("tso", seen))
			c := s.client([]string{"n1"}, func(cfg *client.Config) { cfg.Session = session })
			n1.on("Get", func(c *call) error {
				w := n1.witness(token(9), n1)
				w.Era = row.era
				return c.send(&candorv1.GetResponse{Object: webObject(9), Witness: w})
			})
			_, _, err := c.Get(t.Context(), web, row.options...)
			wantReason(t, err, row.want)
			if got := session.Token().Token; row.want != "" && got != token(5) {
				t.Errorf("the answer that was refused moved the session to %s", got)
			}
			if breach, ok := errors.AsType[*client.WitnessError](err); ok != (row.want != "") || ok && breach.Field != "era" {
				t.Errorf("%v", err)
			}
			if want := max(4, row.era); name == "a later one" && session.Era("tso") != want || session.Era("tso") < 4 {
				t.Errorf("the floor is %d", session.Era("tso"))
			}
		})
	}
}

func TestATokenOfNowhereDoesNotTravel(t *testing.T) {
	s := client.NewSession()
	noError(t, s.Observe(candor.Witness{ServedToken: token(6)}))
	if data, err := json.Marshal(s); err == nil {
		t.Errorf("saved as %s", data)
	}
	for _, text := range []string{
		`{"version":1,"clusterID":"c1","historyID":"h1","eras":{"tso":0}}`, `{"version":1,"eras":{"tso":4}}`, `{"version":-1}`,
		`{"version":1,"clusterID":"c1","historyID":"h1","eras":{"":4}}`, `{"term":1,"index":2,"revision":3}`, `{"term":1,"index":2,"revision":3,"clusterID":"c1"}`, `{"index":-1}`,
		`{"clusterID":"c1","historyID":"h1","node":"n1"}`, `[]`, `{`, ``,
	} {
		var s client.Session
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s is taken for a session", text)
		}
	}
}

// FuzzSessionJSON: what is accepted as a session is written as one that reads
// as the same.
func FuzzSessionJSON(f *testing.F) {
	f.Add([]byte(`{"term":1,"index":2,"revision":3,"clusterID":"c1","historyID":"h1"}`))
	f.Add([]byte(`{"Term":1,"clusterID":null}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"version":1,"term":7,"index":1042,"revision":977,"clusterID":"c1","historyID":"h1","eras":{"tso":4}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second client.Session
		if json.Unmarshal(data, &first) != nil {
			return
		}
		out, err := json.Marshal(&first)
		if err != nil {
			t.Fatalf("accepted %q and cannot write it: %v", data, err)
		}
		if err := json.Unmarshal(out, &second); err != nil || first.Token() != second.Token() {
			t.Fatalf("%+v is written as %s and reads as %+v, %v", first.Token(), out, second.Token(), err)
		}
		if again, err := json.Marshal(&second); err != nil || !bytes.Equal(out, again) {
			t.Fatalf("%s reads as what is written as %s, %v", out, again, err)
		}
	})
}

func required(c *call) candor.PortableToken {
	return convert.PortableTokenFromProto(c.in.(*candorv1.GetRequest).GetRead().GetRequiredRootToken())
}

func TestReadsRequireWhatTheSessionHasSeen(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(1))
	n1.on("Get", n1.gets(token(40), n1))
	c := s.client([]string{"n1"})
	read := func(options ...client.ReadOption) {
		t.Helper()
		_, _, err := c.Get(t.Context(), web, options...)
		noError(t, err)
	}
	read()
	n1.on("Create", n1.writes(token(70)))
	n1.on("Get", n1.gets(token(70), n1))
	_, err := c.Create(t.Context(), deployment())
	noError(t, err)
	read()
	read(client.WithoutSession())
	n1.on("Get", n1.gets(token(99), n1))
	read(client.WithRequiredToken(token(90)))
	read(client.WithRequiredToken(token(20)))
	var got []uint64
	for _, call := range n1.arrived("Get") {
		got = append(got, required(call).Index)
	}
	for i, want := range []uint64{0, 70, 0, 90, 99} {
		if got[i] != want {
			t.Errorf("read %d required %d, want %d (all: %v)", i, got[i], want, got)
		}
	}
	if p := required(n1.arrived("Get")[4]); p.ClusterID != "c1" || p.HistoryID != "h1" {
		t.Errorf("the required token does not name its history: %+v", p)
	}
}

func TestASessionCarriesOverToAnotherClient(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	n1.on("Get", n1.gets(token(40), n1))
	first := s.client([]string{"n1"})
	_, _, err := first.Get(t.Context(), web)
	noError(t, err)
	data, err := json.Marshal(first.Session())
	noError(t, err)
	session := new(client.Session)
	noError(t, json.Unmarshal(data, session))
	second := s.client([]string{"n1"}, func(cfg *client.Config) { cfg.Session = session })
	_, _, err = second.Get(t.Context(), web)
	noError(t, err)
	if got := required(n1.arrived("Get")[1]); got.Token != token(40) {
		t.Errorf("required %v, want %v", got.Token, token(40))
	}
}

func TestAWriteUnderASessionOfAnotherHistoryIsNotSent(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	session := client.NewSession()
	old := served(token(9))
	old.HistoryID = "the one before the restore"
	noError(t, session.Observe(old))
	c := s.client([]string{"n1"}, func(cfg *client.Config) { cfg.Session = session })
	_, err := c.Create(t.Context(), deployment())
	wantReason(t, err, candor.ReasonHistoryMismatch)
	if n := n1.count("Create"); n != 0 {
		t.Errorf("%d attempts were sent", n)
	}
}

func TestAConflictRaisesTheSessionSoThatTheNextReadSeesIt(t *testing.T) {
	s := newStage(t, "n1")
	n1 := leads(s.node("n1"), token(5))
	n1.on("Update", refuses(&candor.Error{
		Reason: candor.ReasonConflict, Revision: 9, Witness: convert.WitnessFromProto(n1.witness(token(9), n1)),
	}))
	c := s.client([]string{"n1"})
	_, err := c.Update(t.Context(), deployment(), client.WithPreconditions(4, ""))
	wantReason(t, err, candor.ReasonConflict)
	if got := c.Session().Token().Token; got != token(9) {
		t.Errorf("session at %v, want %v", got, token(9))
	}
}

func TestConcurrentAnswersLeaveTheHighest(t *testing.T) {
	s := client.NewSession()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				if err := s.Observe(served(token(uint64(j*8 + i)))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := s.Token().Token; got != token(499*8+7) {
		t.Errorf("session at %v", got)
	}
}
