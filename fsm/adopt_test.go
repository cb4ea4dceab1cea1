package fsm

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// entries reads a root's log as a replica would, a few at a time.
func (r *root) entries(after, upto uint64) ([]Committed, error) {
	var out []Committed
	for i := range r.log {
		if c := r.log[i]; c.Index > after && c.Index <= upto && len(out) < 7 {
			out = append(out, c)
		}
	}
	return out, nil
}

func rebuilt(t testing.TB, m *Machine, snapshot []byte) *Machine {
	t.Helper()
	other, err := m.Rebuild(bytes.NewReader(snapshot))
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// spoilt is a machine that applied a root's log with one entry another one.
func (r *root) spoilt(index uint64, instead *command.Command) *Machine {
	m := New(Config{ClusterID: "c1"})
	for _, c := range r.log {
		if c.Index == index {
			c.Data = command.AppendEntry(nil, command.Entry{Term: 1, Commands: [][]byte{command.AppendCommand(nil, instead)}})
		}
		m.Apply([]Committed{c})
	}
	return m
}

// TestAnAdoptedStateIsTheLogsOwn: from a snapshot older than the view, by way of
// the log, to the same digest, contents and index by revision; what was served
// never goes back, and everything goes on from there.
func TestAnAdoptedStateIsTheLogsOwn(t *testing.T) {
	for _, behind := range []int{0, 1, adoptBehind, adoptBehind + 1, 5 * adoptBehind} {
		r := newRoot(t)
		res := r.mustWrite(create("default", "a", `{"n":0}`))
		for i := range 20 {
			r.mustWrite(create("default", fmt.Sprint("b", i), `{}`))
		}
		old := snapshotOf(t, r.m)
		for i := range behind {
			switch i % 3 {
			case 0:
				r.update(widget("default", "a"), func(o *candor.Object) { o.Spec = fmt.Appendf(nil, `{"n":%d}`, i+1) })
			case 1:
				r.write(remove(widgets, "default", fmt.Sprint("b", i/3%20), ""))
			default:
				r.write(create("default", fmt.Sprint("c", i), `{}`), create("default", fmt.Sprint("d", i), `{}`))
			}
		}
		wrong := r.spoilt(res.Token.Index, r.writeCommand(create("default", "a", `{"n":"wrong"}`)))
		if wrong.View().Digest() == r.m.View().Digest() {
			t.Fatal("the spoilt state is as it should be")
		}
		before := wrong.View()
		if err := wrong.Adopt(rebuilt(t, wrong, old), r.entries); err != nil {
			t.Fatalf("%d behind: %v", behind, err)
		}
		wantSame(t, fmt.Sprint(behind, " behind"), r.m, wrong)
		if before.Token() != wrong.View().Token() {
			t.Errorf("%d behind: served %s after %s", behind, wrong.View().Token(), before.Token())
		}
		// The ring of digests is the rebuilt state's, from its snapshot on.
		for _, d := range wrong.Digests(0) {
			if own, ok := r.m.DigestAt(d.Index); !ok || own != d {
				t.Errorf("%d behind: digest %x at %d, want %x", behind, d.Digest, d.Index, own.Digest)
			}
		}
		if n := len(wrong.Digests(0)); n != behind+1 {
			t.Errorf("%d behind: %d digests are kept", behind, n)
		}
		if _, ok := wrong.DigestAt(res.Token.Index); ok {
			t.Error("a digest of the state from before is still told")
		}
		// It goes on, and its snapshot is the root's.
		r.mustWrite(create("default", "after", `{}`))
		wrong.Apply(r.log[len(r.log)-1:])
		wantSame(t, "after another entry", r.m, wrong)
		again := New(Config{ClusterID: "c1"})
		if err := again.Restore(bytes.NewReader(snapshotOf(t, wrong))); err != nil {
			t.Fatal(err)
		}
		wantSame(t, "restored from its snapshot", r.m, again)
	}
}

// TestAViewFromBeforeTheAdoptionStaysAsItWas, for whoever still reads it.
func TestAViewFromBeforeTheAdoptionStaysAsItWas(t *testing.T) {
	r := newRoot(t)
	old := snapshotOf(t, r.m)
	for i := range 30 {
		r.mustWrite(create("default", fmt.Sprint("a", i), `{}`))
	}
	m := r.replayed()
	held := m.Snapshot()
	defer held.Release()
	before, printed := m.View(), dump(m.View())
	if err := m.Adopt(rebuilt(t, m, old), r.entries); err != nil {
		t.Fatal(err)
	}
	r.do(command.Compact(r.m.View().Token().Revision - 1))
	m.Apply(r.log[len(r.log)-1:])
	if dump(before) != printed {
		t.Error("a view that is held changed")
	}
	var b bytes.Buffer
	if _, err := held.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := InspectSnapshot(&b); err != nil {
		t.Errorf("a snapshot that was captured before: %v", err)
	}
	wantSame(t, "compacted after the adoption", r.m, m)
}

// TestAnAdoptionThatFailsLeavesTheOldState, which goes on.
func TestAnAdoptionThatFailsLeavesTheOldState(t *testing.T) {
	r := newRoot(t)
	old := snapshotOf(t, r.m)
	for i := range 100 {
		r.mustWrite(create("default", fmt.Sprint("a", i), `{}`))
	}
	ahead := newRoot(t)
	for i := range 200 {
		ahead.mustWrite(create("default", fmt.Sprint("a", i), `{}`))
	}
	gone := errors.New("entry 3 is gone")
	for name, row := range map[string]struct {
		entries func(after, upto uint64) ([]Committed, error)
		want    candor.Reason
	}{
		"an entry is gone": {func(uint64, uint64) ([]Committed, error) { return nil, gone }, candor.ReasonInternal},
		"gone later on": {func(after, upto uint64) ([]Committed, error) {
			if after > 95 {
				return nil, gone
			}
			return r.entries(after, upto)
		}, candor.ReasonInternal},
		"nothing to read": {func(uint64, uint64) ([]Committed, error) { return nil, nil }, candor.ReasonDataCorrupt},
		"a damaged entry": {func(after, upto uint64) ([]Committed, error) {
			batch, _ := r.entries(after, upto)
			batch[0].Data = []byte("no entry of ours")
			return batch, nil
		}, candor.ReasonDataCorrupt},
	} {
		m := r.replayed()
		before := m.View()
		err := m.Adopt(rebuilt(t, m, old), row.entries)
		if err == nil || candor.ReasonOf(err) != row.want && !errors.Is(err, gone) {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
		if m.View() != before {
			t.Errorf("%s: the view is another", name)
		}
		wantSame(t, name, r.m, m)
		m.Apply([]Committed{{Term: 1, Index: r.index + 1, Configuration: true}})
		if got := m.View().Token().Index; got != r.index+1 {
			t.Errorf("%s: it goes on to index %d", name, got)
		}
	}
	if _, err := r.m.Rebuild(bytes.NewReader(old[:len(old)-9])); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
		t.Errorf("rebuilt from a torn snapshot: %v", err)
	}
	if _, err := New(Config{ClusterID: "c2"}).Rebuild(bytes.NewReader(old)); candor.ReasonOf(err) != candor.ReasonClusterMismatch {
		t.Errorf("rebuilt from another cluster's: %v", err)
	}
}

// TestARebuiltStateOfFewerRevisionsIsAnotherPast: the one that it replaces made
// revisions that the root never had, and no token of it compares.
func TestARebuiltStateOfFewerRevisionsIsAnotherPast(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "a", `{}`))
	less := newRoot(t)
	less.write(remove(widgets, "default", "nothing there", ""))
	before := r.m.View()
	if less.index != r.index || less.m.View().Token().Revision >= before.Token().Revision {
		t.Fatalf("%s is not below %s", less.m.View().Token(), before.Token())
	}
	if err := r.m.Adopt(rebuilt(t, r.m, snapshotOf(t, less.m)), r.entries); err != nil {
		t.Fatal(err)
	}
	after := r.m.View()
	if after.Token() != less.m.View().Token() || after.Rewinds() != before.Rewinds()+1 {
		t.Errorf("at %s after %d rewinds", after.Token(), after.Rewinds())
	}
	if before.Rewinds() != 0 || before.Token().Revision <= after.Token().Revision {
		t.Error("the view that was served changed")
	}
}

// TestADigestIsToldForWhatIsAppliedAndKept alone.
func TestADigestIsToldForWhatIsAppliedAndKept(t *testing.T) {
	r := newRoot(t)
	want := map[uint64]Digest{}
	for _, d := range r.m.Digests(0) {
		want[d.Index] = d.Digest
	}
	for i := range digestsKept + 100 {
		r.m.Apply([]Committed{{Term: 1, Index: r.index + 1 + uint64(2*i), Configuration: true}})
		want[r.m.View().Token().Index] = r.m.View().Digest()
	}
	last := r.m.View().Token().Index
	told := 0
	for index := uint64(0); index <= last+digestsKept; index++ {
		d, ok := r.m.DigestAt(index)
		switch {
		case !ok && d != (IndexDigest{}):
			t.Fatalf("index %d: no digest, and %+v", index, d)
		case ok && (d.Index != index || d.Digest != want[index]):
			t.Fatalf("index %d: told %x of %d", index, d.Digest, d.Index)
		case ok:
			told++
		}
	}
	// Every other index of the newest has an entry.
	if told < digestsKept/2 {
		t.Errorf("%d digests are kept", told)
	}
}
