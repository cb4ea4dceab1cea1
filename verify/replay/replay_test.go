package replay_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/replay"
)

func server(m replay.Member) transition.Server {
	return transition.Server{ID: m.ServerID, Address: m.Address, Voter: m.Voter}
}

func run(t *testing.T, x *tape, o replay.Options) *replay.Report {
	t.Helper()
	r, err := replay.Run(t.Context(), x, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAReplayComesToEveryDigestThatWasPublished(t *testing.T) {
	x := lived(t)
	for _, from := range []string{"", "log", "0", x.origin.Snapshots[0].ID, x.origin.Snapshots[1].ID, fmt.Sprint(x.origin.Snapshots[1].Index)} {
		r, err := replay.Run(t.Context(), x, replay.Options{From: from})
		if err != nil {
			t.Fatalf("from %q: %v", from, err)
		}
		if r.Verdict != history.Pass || r.Mismatches != 0 || r.Checked == 0 {
			t.Errorf("from %q: %s, %d of %d differ", from, r.Verdict, r.Mismatches, r.Checked)
		}
		if r.Digest != x.origin.Points[len(x.origin.Points)-1].Digest || r.Last != x.origin.Last || r.Token != x.machine.View().Token() {
			t.Errorf("from %q it ends at %s, %s", from, r.Token, r.Digest)
		}
	}
	whole := run(t, x, replay.Options{})
	// Every entry but the no-op, and two snapshots.
	if want := int(x.origin.Last) - 1 + 2; whole.Checked != want {
		t.Errorf("it compared %d digests, want %d", whole.Checked, want)
	}
	if whole.Refused != 30 {
		t.Errorf("%d turns were refused, want 30", whole.Refused)
	}
}

func TestAReplayWithoutADigestToCompareWithSaysSo(t *testing.T) {
	x := lived(t)
	x.origin.Points, x.origin.Snapshots = nil, nil
	if r := run(t, x, replay.Options{}); r.Verdict != history.Inconclusive || r.Why == "" {
		t.Errorf("it says %s (%s)", r.Verdict, r.Why)
	}
	d := run(t, x, replay.Options{}).Digest
	r := run(t, x, replay.Options{Points: []replay.Point{{Index: x.origin.Last, Digest: d, By: "a file"}}})
	if r.Verdict != history.Pass {
		t.Errorf("with a digest it says %s", r.Verdict)
	}
}

func TestAFlippedDigestIsFoundAtItsIndex(t *testing.T) {
	x := lived(t)
	x.origin.Points[200].Digest[3] ^= 1
	r := run(t, x, replay.Options{})
	if r.Verdict != history.Violated || r.Mismatches != 1 || r.Mismatch.Index != x.origin.Points[200].Index || r.Mismatch.Agreed != x.origin.Points[199].Index {
		t.Errorf("it says %s, %+v", r.Verdict, r.Mismatch)
	}
}

func TestAChangedEntryIsFoundAtItsIndex(t *testing.T) {
	x := lived(t)
	i := slices.IndexFunc(x.entries, func(e replay.Entry) bool { return bytes.Contains(e.Data, []byte(`{"n":120}`)) })
	changed := bytes.Replace(x.entries[i].Data, []byte(`{"n":120}`), []byte(`{"n":999}`), 1)
	e, err := command.DecodeEntry(x.entries[i].Data)
	if err != nil {
		t.Fatal(err)
	}
	e.Commands[0] = bytes.Replace(e.Commands[0], []byte(`{"n":120}`), []byte(`{"n":999}`), 1)
	x.entries[i].Data = command.AppendEntry(nil, e)
	r := run(t, x, replay.Options{})
	if index := x.entries[i].Index; r.Verdict != history.Violated || r.Mismatch.Index != index || r.Mismatch.Agreed != index-1 {
		t.Errorf("entry %d was changed; it says %s, %+v", index, r.Verdict, r.Mismatch)
	}
	// The same without a new checksum is damage, and named.
	x.entries[i].Data = changed
	_, err = replay.Run(t.Context(), x, replay.Options{})
	if candor.ReasonOf(err) != candor.ReasonDataCorrupt || !strings.Contains(err.Error(), fmt.Sprintf("entry %d", x.entries[i].Index)) {
		t.Errorf("a damaged entry %d: %v", x.entries[i].Index, err)
	}
}

func TestTwoLogsAreToldApartAtTheFirstDifference(t *testing.T) {
	a := lived(t)
	b := a.copied("n2")
	i := slices.IndexFunc(b.entries, func(e replay.Entry) bool { return bytes.Contains(e.Data, []byte(`{"n":120}`)) })
	e, err := command.DecodeEntry(b.entries[i].Data)
	if err != nil {
		t.Fatal(err)
	}
	e.Commands[0] = bytes.Replace(e.Commands[0], []byte(`{"n":120}`), []byte(`{"n":999}`), 1)
	b.entries[i].Data = command.AppendEntry(nil, e)
	b.origin.Points = nil
	d, err := replay.Compare(t.Context(), a, b, 0)
	if err != nil {
		t.Fatal(err)
	}
	if d.Same || d.SameEntry || d.Index != b.entries[i].Index || len(d.A.Turns) != 1 || len(d.B.Turns) != 1 {
		t.Fatalf("it says %+v", d)
	}
	want := []replay.ObjectDifference{{
		Object: candor.Ref{Kind: widgets, Namespace: "default", Name: "w120"}, A: d.A.Turns[0].Token.Revision, B: d.B.Turns[0].Token.Revision,
		Changes: []candor.FieldChange{{Path: "spec.n", Was: []byte("120"), Is: []byte("999")}},
	}}
	if diff := cmp.Diff(want, d.Objects); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if same, err := replay.Compare(t.Context(), a, a.copied("n3"), 0); err != nil || !same.Same || same.Last != a.origin.Last {
		t.Errorf("a copy: %+v, %v", same, err)
	}
}

func TestAStateThatIsNotWhatItsLogMakesIsToldFromAnotherLog(t *testing.T) {
	a := lived(t)
	b := a.copied("n2")
	for i := 150; i < len(b.origin.Points); i++ {
		b.origin.Points[i].Digest[0] ^= 0xff
	}
	d, err := replay.Compare(t.Context(), a, b, 0)
	if err != nil {
		t.Fatal(err)
	}
	if d.Same || !d.SameEntry || d.Index != b.origin.Points[150].Index || d.B.By == "" || d.Total != 0 || len(d.Notes) == 0 {
		t.Errorf("it says %+v", d)
	}
}

func TestEveryStartComesToTheSameState(t *testing.T) {
	x := lived(t)
	whole := run(t, x, replay.Options{})
	starts, verdict, err := replay.Starts(t.Context(), x, whole)
	if err != nil || verdict != history.Pass || len(starts) != 2 {
		t.Fatalf("%v, %s, %v", starts, verdict, err)
	}
	// A snapshot of another history, in the place of this one's.
	other := lived(t)
	other.declare("gadgets.test", "Gadget")
	other.snapshot(t)
	id := x.origin.Snapshots[0].ID
	x.snapshots[id] = other.snapshots[other.origin.Snapshots[0].ID]
	starts, verdict, err = replay.Starts(t.Context(), x, whole)
	if err != nil || verdict != history.Violated {
		t.Errorf("with a foreign snapshot: %v, %s, %v", starts, verdict, err)
	}
	x.snapshots[id] = x.snapshots[id][:len(x.snapshots[id])/2]
	if r := run(t, x, replay.Options{}); r.Verdict != history.Violated || len(r.Damaged) != 1 {
		t.Errorf("with half a snapshot: %s, %v", r.Verdict, r.Damaged)
	}
}

func TestAStepTellsWhatATurnDid(t *testing.T) {
	x := lived(t)
	said := map[string]int{}
	r := run(t, x, replay.Options{Step: func(turn *replay.Turn) error {
		said[turn.Result()]++
		for _, v := range turn.Versions {
			switch {
			case v.Created:
				said["created"]++
			case v.Deleted:
				said["deleted"]++
			default:
				said["changed"]++
			}
		}
		return nil
	}})
	if r.Verdict != history.Pass {
		t.Errorf("stepping comes to %s", r.Verdict)
	}
	want := map[string]int{"ALREADY_EXISTS": 30, "CHANGED": 361, "ACCEPTED": 32, "created": 301, "deleted": 30, "changed": 30}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAReplayStopsWhereItIsTold(t *testing.T) {
	x := lived(t)
	r := run(t, x, replay.Options{To: 50})
	if r.Last != 50 || r.Token.Index != 50 || r.Outside == 0 || r.Verdict != history.Pass {
		t.Errorf("it stopped at %d: %+v", r.Last, r)
	}
	ref, err := r.Find("widget/w004", "")
	if err != nil {
		t.Fatal(err)
	}
	if o, err := r.Object(ref); err != nil || o == nil || string(o.Spec) != `{"n":4}` {
		t.Errorf("%s: %v, %v", ref, o, err)
	}
	if o, err := r.Object(candor.Ref{Kind: widgets, Namespace: "default", Name: "w299"}); err != nil || o != nil {
		t.Errorf("what came later is there: %v, %v", o, err)
	}
	stopped := run(t, x, replay.Options{Step: func(turn *replay.Turn) error {
		if turn.Index == 20 {
			return replay.ErrStop
		}
		return nil
	}})
	if stopped.Last != 20 {
		t.Errorf("a step stopped it at %d", stopped.Last)
	}
	if _, err := replay.Run(t.Context(), x, replay.Options{To: x.origin.Last + 1}); candor.ReasonOf(err) != candor.ReasonNotFound {
		t.Errorf("past the end: %v", err)
	}
}

func TestAGapInTheLogIsRefused(t *testing.T) {
	x := lived(t)
	x.entries = slices.Delete(x.entries, 30, 31)
	if _, err := replay.Run(t.Context(), x, replay.Options{}); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
		t.Errorf("with an entry missing: %v", err)
	}
	y := lived(t)
	y.origin.First = 10
	y.origin.Snapshots = nil
	if _, err := replay.Run(t.Context(), y, replay.Options{}); candor.ReasonOf(err) != candor.ReasonReplayUnavailable {
		t.Errorf("without what it begins on: %v", err)
	}
}
