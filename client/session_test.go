package client_test

import (
	"encoding/json"
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

func TestATokenOfNowhereDoesNotTravel(t *testing.T) {
	s := client.NewSession()
	noError(t, s.Observe(candor.Witness{ServedToken: token(6)}))
	if data, err := json.Marshal(s); err == nil {
		t.Errorf("saved as %s", data)
	}
	for _, text := range []string{
		`{"term":1,"index":2,"revision":3}`, `{"term":1,"index":2,"revision":3,"clusterID":"c1"}`, `{"index":-1}`,
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
