package fsm

import (
	"bytes"
	"strconv"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/literal"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// declares refuses a Kind object that says of its group and kind what another
// says already: whoever came second would have objects that nobody finds. Two
// that were validated at one moment meet here.
func (d *draft) declares(ref candor.Ref, spec []byte) *candor.Error {
	if ref.Kind != candor.KindKinds {
		return nil
	}
	name := candor.KindName(ref.Name)
	word := declaredKind(spec)
	other := d.declarer(name, word)
	if other == nil {
		return nil
	}
	taken := sprintf("kind %s of group %s is declared by kinds/%s already, since revision %d",
		word, name.Group(), other.Metadata.Name, other.Metadata.CreateRevision)
	return &candor.Error{Reason: candor.ReasonConflict, Subject: ref.String(), Revision: other.Metadata.ResourceVersion,
		Message: sprintf("%s: %s", ref, taken),
		Fields:  []candor.FieldViolation{{Path: "spec.names.kind", Message: taken}}}
}

// declarer is another Kind object that declares the word in the group of name,
// as the turn leaves it so far; nil for none.
func (d *draft) declarer(name candor.KindName, word string) *candor.Object {
	if word == "" {
		return nil
	}
	declares := func(other string, spec []byte) bool {
		return other != string(name) && candor.KindName(other).Group() == name.Group() && declaredKind(spec) == word
	}
	for i := range d.changes {
		if c := &d.changes[i]; c.Ref.Kind == candor.KindKinds && c.After != nil && declares(c.Ref.Name, c.After.Spec) {
			return c.After
		}
	}
	ordinal, ok := d.m.state.kindIndex[candor.KindKinds]
	if !ok {
		return nil
	}
	var found *candor.Object
	d.m.state.kinds[ordinal].tree.Scan("", "", func(head *mvcc.Version) bool {
		_, other := candor.SplitKey(head.Key)
		if _, changed := d.changed(candor.Ref{Kind: candor.KindKinds, Name: other}); head.Deleted || changed || candor.KindName(other).Group() != name.Group() {
			return true
		}
		if o := mustDecode(head); declares(other, o.Spec) {
			found = o
		}
		return found == nil
	})
	return found
}

// declaredKind is names.kind of a Kind object's spec. It reads JSON by hand: a
// turn depends on no decoder. Specs were validated before the log; of bytes that
// were not, it makes the same on every node.
func declaredKind(spec []byte) string {
	token := literal.Member(literal.Member(spec, "names"), "kind")
	if len(token) < 2 || token[0] != '"' {
		return ""
	}
	if bytes.IndexByte(token, '\\') >= 0 {
		if word, err := strconv.Unquote(string(token)); err == nil {
			return word
		}
	}
	return string(token[1 : len(token)-1])
}
