package fsm

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

func scan(t testing.TB, snapshot []byte) Inspection {
	t.Helper()
	found, err := ScanSnapshot(bytes.NewReader(snapshot))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Whatever led to a state, a restore of its snapshot has the same contents, and
// so has a snapshot of the restored cluster once it has begun to work, unless its
// first leader had membership changes of the old one to end.
func TestARestoredClusterHasTheContentsOfItsSource(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRoot(t)
		r.mustWrite(command.Operation{Verb: command.VerbCreate, Kind: candor.KindNamespaces, Object: object("Namespace", "", "team", `{}`)})
		for range rapid.IntRange(0, 40).Draw(rt, "steps") {
			r.step(rt)
		}
		source := snapshotOf(t, r.m)
		was := scan(t, source)
		whole, err := InspectSnapshot(bytes.NewReader(source))
		if err != nil || whole != was {
			t.Fatalf("inspected %+v, scanned %+v: %v", whole, was, err)
		}
		var file bytes.Buffer
		told, err := RewriteSnapshot(bytes.NewReader(source), &file, Rewrite{ClusterID: "c2", HistoryID: "h2", RaiseRevision: 1e9})
		if err != nil {
			t.Fatal(err)
		}
		if got := scan(t, file.Bytes()); got != told || got.Contents != was.Contents || got.Digest == was.Digest {
			t.Fatalf("restored %+v, told %+v, of %+v", got, told, was)
		}
		m := New(Config{ClusterID: "c2"})
		if err := m.Restore(&file); err != nil {
			t.Fatal(err)
		}
		m.Apply([]Committed{committed(2, 2, command.LeaderStart(2, "s9")), committed(2, 3, command.Hello("s9", "n9", "a:1", 1))})
		pended := len(r.m.View().PendingTransitions("", 1)) > 0
		if got := scan(t, snapshotOf(t, m)); (got.Contents != was.Contents) != pended || got.Objects != was.Objects {
			t.Fatalf("the restored cluster, at work: %+v, source %+v; membership changes pended: %t", got, was, pended)
		}
		if left := m.View().PendingTransitions("", 1); len(left) > 0 {
			t.Fatalf("it goes on with a membership change of the old one: %+v", left)
		}
	})
}

func committed(term, index uint64, c *command.Command) Committed {
	data := command.AppendEntry(nil, command.Entry{Term: term, Time: 1, Wall: 1, Commands: [][]byte{command.AppendCommand(nil, c)}})
	return Committed{Term: term, Index: index, Data: data}
}

func TestTheContentsDigestSeesWhatUsersSeeAndNothingElse(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "a", `{"n":1}`))
	last := scan(t, snapshotOf(t, r.m)).Contents
	for _, c := range []struct {
		name    string
		do      func()
		changes bool
	}{
		{"time passes", func() { r.time += 5e9; r.do(command.Tick()) }, false},
		{"a server says hello", func() { r.do(command.Hello("s2", "n2", "b:1", 1)) }, false},
		{"compaction", func() { r.do(command.Compact(r.m.View().Token().Revision)) }, false},
		{"a refused write", func() { r.write(create("default", "a", `{}`)) }, false},
		{"spec", func() { r.update(widget("default", "a"), func(o *candor.Object) { o.Spec = []byte(`{"n":2}`) }) }, true},
		{"the same spec as before", func() { r.update(widget("default", "a"), func(o *candor.Object) { o.Spec = []byte(`{"n":1}`) }) }, true},
		{"a label", func() {
			r.update(widget("default", "a"), func(o *candor.Object) { o.Metadata.Labels = map[string]string{"x": "y"} })
		}, true},
		{"an observation", func() {
			r.write(command.Operation{Verb: command.VerbObserve, Kind: widgets, Namespace: "default", Name: "a", Payload: []byte(`{"up":true}`)})
		}, true},
		{"another object", func() { r.mustWrite(create("default", "b", `{}`)) }, true},
		{"a deletion", func() { r.mustWrite(remove(widgets, "default", "b", "")) }, true},
	} {
		c.do()
		now := scan(t, snapshotOf(t, r.m)).Contents
		if (now != last) != c.changes {
			t.Errorf("%s: the contents digest changed: %t, want %t", c.name, now != last, c.changes)
		}
		last = now
	}
}

func TestAScanRefusesADamagedSnapshot(t *testing.T) {
	r := newRoot(t)
	for _, name := range []string{"a", "b", "c"} {
		r.mustWrite(create("default", name, `{"n":1}`))
		r.update(widget("default", name), func(o *candor.Object) { o.Spec = []byte(`{"n":2}`) })
	}
	good := snapshotOf(t, r.m)
	scan(t, good)
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		if _, err := ScanSnapshot(bytes.NewReader(bad)); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
		if _, err := ScanSnapshot(bytes.NewReader(good[:i])); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

// Files that are in people's hands stay readable, and their digests stay what
// they were told.
func TestASnapshotOfTheFirstReleaseStillReads(t *testing.T) {
	data, err := os.ReadFile("testdata/first.candor")
	if err != nil {
		t.Fatal(err)
	}
	found, err := InspectSnapshot(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s at %s, floor %d, %d objects, digest %x, contents %x",
		found.ClusterID, found.HistoryID, found.Token, found.Floor, found.Objects, found.Digest, found.Contents)
	const want = "c-1 h-1 at 7:1042/977, floor 977, 3 objects, digest c2866a0ed3042e8be0f2b05e54ffad3d, contents 3881aaf1117a3ab10b4fa9eabe8f6830"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
