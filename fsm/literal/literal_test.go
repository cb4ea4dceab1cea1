package literal_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/fsm/literal"
)

func TestMembersAndTextsAreFoundAsTheyAreWritten(t *testing.T) {
	object := []byte(` {"a": {"b": [1, "x,}"]}, "list": ["one" , "two"], "e": [], "esc": ["a\"b"], "n": 1}`)
	if got := string(literal.Member(literal.Member(object, "a"), "b")); got != `[1, "x,}"]` {
		t.Errorf("a.b is %s", got)
	}
	if got, ok := literal.Texts(literal.Member(object, "list")); !ok || !cmp.Equal(got, []string{"one", "two"}) {
		t.Errorf("list is %q, %t", got, ok)
	}
	if got, ok := literal.Texts(literal.Member(object, "e")); !ok || got != nil {
		t.Errorf("e is %q, %t", got, ok)
	}
	for _, name := range []string{"esc", "n", "absent", "a"} {
		if got, ok := literal.Texts(literal.Member(object, name)); ok {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// FuzzTextsAreJSONs: what is valid JSON is read as encoding/json reads it, or not
// at all, and nothing makes it fail.
func FuzzTextsAreJSONs(f *testing.F) {
	f.Add([]byte(`["x","y"]`))
	f.Add([]byte(`["x",`))
	f.Add([]byte("[\"\xff\"]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		literal.Member(data, "a")
		got, ok := literal.Texts(data)
		var want []string
		if !ok || !utf8.Valid(data) || json.Unmarshal(data, &want) != nil {
			return
		}
		if len(got)+len(want) > 0 && !cmp.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
