package command

import "testing"

func TestWhoseRequestACommandIsIsReadWithoutTheRest(t *testing.T) {
	write := &Command{Type: TypeWrite, Actor: "ana", RequestID: "r-1", NotAfter: 7, Then: []Operation{{Verb: VerbDelete, Name: "x"}}}
	for _, c := range []struct {
		data      []byte
		actor, id string
	}{
		{AppendCommand(nil, write), "ana", "r-1"},
		{AppendCommand(nil, &Command{Type: TypeWrite, Actor: "ana", NotAfter: 7}), "", ""},
		{AppendCommand(nil, Tick()), "", ""},
		{nil, "", ""},
		{[]byte{0xff}, "", ""},
		{AppendCommand(nil, write)[:4], "", ""},
	} {
		if actor, id := RequestOf(c.data); actor != c.actor || id != c.id {
			t.Errorf("%x: %q %q, want %q %q", c.data, actor, id, c.actor, c.id)
		}
	}
}
