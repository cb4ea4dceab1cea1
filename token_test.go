package candor_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
)

func drawToken(t *rapid.T, label string) candor.Token {
	small := rapid.Uint64Range(0, 4)
	return candor.Token{
		Term: small.Draw(t, label+".term"), Index: small.Draw(t, label+".index"), Revision: small.Draw(t, label+".revision"),
	}
}

func TestTokenPrintsAsTermIndexRevision(t *testing.T) {
	if got, want := (candor.Token{Term: 7, Index: 1042, Revision: 977}).String(), "7:1042/977"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := candor.Token{Term: rapid.Uint64().Draw(t, "t"), Index: rapid.Uint64().Draw(t, "i"), Revision: rapid.Uint64().Draw(t, "r")}
		got, err := candor.ParseToken(want.String())
		if err != nil || got != want {
			t.Fatalf("ParseToken(%q) = %v, %v", want.String(), got, err)
		}
	})
}

func TestParseTokenRefusesWhatIsNone(t *testing.T) {
	for _, s := range []string{"", "7", "7:1042", "7/977", ":/", "7:1042/", "7:1042/977 ", "-7:1/1", "7:1/0x1", "7:1/99999999999999999999", "a:b/c"} {
		if got, err := candor.ParseToken(s); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("ParseToken(%q) = %v, %v; want INVALID", s, got, err)
		}
	}
}

func TestTokenOrderIsByIndexThenRevision(t *testing.T) {
	for _, c := range []struct {
		a, b candor.Token
		want int
	}{
		{candor.Token{Term: 1, Index: 5, Revision: 9}, candor.Token{Term: 2, Index: 6, Revision: 3}, -1},
		{candor.Token{Term: 9, Index: 5, Revision: 1}, candor.Token{Term: 2, Index: 4, Revision: 1}, 1},
		{candor.Token{Term: 2, Index: 5, Revision: 1}, candor.Token{Term: 2, Index: 5, Revision: 2}, -1},
		{candor.Token{Term: 2, Index: 5, Revision: 2}, candor.Token{Term: 2, Index: 5, Revision: 2}, 0},
		{candor.Token{Index: 5, Revision: 2}, candor.Token{Term: 2, Index: 5, Revision: 2}, 0},
	} {
		got, err := candor.CompareTokens(c.a, c.b)
		if err != nil || got != c.want {
			t.Errorf("CompareTokens(%v, %v) = %d, %v; want %d", c.a, c.b, got, err, c.want)
		}
	}
}

func TestOneIndexInTwoTermsIsAConflictNotATie(t *testing.T) {
	_, err := candor.CompareTokens(candor.Token{Term: 1, Index: 5, Revision: 9}, candor.Token{Term: 2, Index: 5, Revision: 3})
	if candor.ReasonOf(err) != candor.ReasonTokenConflict {
		t.Errorf("got %v, want TOKEN_CONFLICT", err)
	}
}

func TestTokenOrderLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawToken(t, "a"), drawToken(t, "b")
		ab, errAB := candor.CompareTokens(a, b)
		ba, errBA := candor.CompareTokens(b, a)
		if (errAB == nil) != (errBA == nil) || (errAB == nil && ab != -ba) {
			t.Fatalf("%v and %v: %d, %v against %d, %v", a, b, ab, errAB, ba, errBA)
		}
		if !a.Covers(a) || !a.Covers(candor.Token{}) {
			t.Fatalf("%v must cover itself and the zero token", a)
		}
		if a.Covers(b) && b.Covers(a) && (a.Index != b.Index || a.Revision != b.Revision) {
			t.Fatalf("%v and %v cover one another and differ", a, b)
		}
	})
}

func TestTokenOfAnotherHistoryIsRefused(t *testing.T) {
	p := candor.PortableToken{Token: candor.Token{Term: 1, Index: 2, Revision: 3}, ClusterID: "c1", HistoryID: "h1"}
	if err := p.CheckHistory("c1", "h1"); err != nil {
		t.Errorf("its own history: %v", err)
	}
	for _, other := range [][2]string{{"c1", "h2"}, {"c2", "h1"}, {"c2", "h2"}} {
		err := p.CheckHistory(other[0], other[1])
		if !errors.Is(err, &candor.Error{Reason: candor.ReasonHistoryMismatch}) {
			t.Errorf("cluster %s, history %s: got %v, want HISTORY_MISMATCH", other[0], other[1], err)
		}
	}
	if err := (candor.PortableToken{}).CheckHistory("c1", "h1"); err != nil {
		t.Errorf("a token that never left its cluster: %v", err)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("7:1042/977")
	f.Add("::/")
	f.Fuzz(func(t *testing.T, s string) {
		token, err := candor.ParseToken(s)
		if err != nil {
			return
		}
		again, err := candor.ParseToken(token.String())
		if err != nil || again != token {
			t.Fatalf("%q reads as %v, and that as %v, %v", s, token, again, err)
		}
	})
}
