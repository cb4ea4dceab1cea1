package tenure_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

var update = flag.Bool("update", false, "rewrite testdata")

// versions are every lineage of a duty's life, as its object would show them.
func versions(t *testing.T) []tenure.Lineage {
	t.Helper()
	s := begin(t, "control/ingress")
	var all []tenure.Lineage
	do := func(now tenure.Now, e tenure.Event) {
		s.do(now, e)
		all = append(all, s.l)
	}
	do(at(0), s.campaign(a, "a1"))
	do(at(1), tenure.Reserve{Era: 1, Holder: a, Bound: tenure.Frontiers{ID: 100, Timestamp: 1 << 20, Transition: 7}})
	do(at(1), tenure.Seal{Era: 1, Holder: a, Usage: tenure.Frontiers{ID: 40, Timestamp: 1 << 19, Transition: 7}, To: "client/b"})
	do(at(1), s.campaign("client/b", "b1"))
	do(at(9), s.campaign(c, "c1"))
	for s.l.Pending(c) != nil {
		do(at(9), s.l.Pending(c))
	}
	do(at(9), tenure.Release{Era: 3, Holder: c, Usage: s.l.Current.Start})
	do(at(9), tenure.Reattach{Holder: c, Candidacy: "c2", Era: 3, Cite: s.l.Current.Seal})
	return all
}

func TestTheStatusOfATenureIsTheSameBytesForTheSameLineage(t *testing.T) {
	var got bytes.Buffer
	for _, l := range append([]tenure.Lineage{lineage(t, "tso")}, versions(t)...) {
		status := l.AppendStatus(nil)
		if !json.Valid(status) {
			t.Fatalf("no JSON: %s", status)
		}
		got.Write(append(status, '\n'))
	}
	const golden = "testdata/status.jsonl"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("run with -update if this is meant:\n%s", diff)
	}
}

func TestTheStatusChangesExactlyWithWhatIsShown(t *testing.T) {
	all := versions(t)
	for i, before := range all[:len(all)-1] {
		after := all[i+1]
		same := bytes.Equal(before.AppendStatus(nil), after.AppendStatus(nil))
		if shown := tenure.Compare(before, after) == tenure.Shown; shown == same {
			t.Errorf("step %d: shown %v, and the same status %v", i+1, shown, same)
		}
		if stages := tenure.Stages(before, after); same != (len(stages) == 0) {
			t.Errorf("step %d: stages %v, and the same status %v", i+1, stages, same)
		}
	}
}

func TestAChainIsAuditedFromObjectVersionsAlone(t *testing.T) {
	var read []tenure.Lineage
	for _, l := range versions(t) {
		status := l.AppendStatus(nil)
		got, err := tenure.ReadStatus(status)
		if err != nil {
			t.Fatalf("%v\n%s", err, status)
		}
		if again := got.AppendStatus(nil); !bytes.Equal(status, again) {
			t.Fatalf("read as something else:\n%s\n%s", status, again)
		}
		read = append(read, got)
	}
	for from := range read {
		if v := tenure.Audit(read[from:]); v != nil {
			t.Errorf("from version %d on: %v", from, v)
		}
	}
	last := len(read) - 1
	for _, row := range []struct {
		what      string
		edit      func(all []tenure.Lineage)
		guarantee string
	}{
		{"usage rewritten", func(all []tenure.Lineage) { all[2].Current.Usage.ID++ }, tenure.GuaranteeFinality},
		{"another seal cited", func(all []tenure.Lineage) { all[last].Current.Lineage[0]++ }, tenure.GuaranteeInheritance},
		{"a start below the usage", func(all []tenure.Lineage) { all[last].Current.Start.ID-- }, tenure.GuaranteeInheritance},
		{"an era left out", func(all []tenure.Lineage) { all[last].Current.Number++ }, tenure.GuaranteePrimacy},
		{"two active", func(all []tenure.Lineage) { all[last].Finished.State = tenure.StateActive }, tenure.GuaranteePrimacy},
		{"another holder", func(all []tenure.Lineage) { all[1].Current.Holder = c }, tenure.GuaranteePrimacy},
		{"a step back", func(all []tenure.Lineage) { all[last], all[0] = all[0], all[last] }, tenure.GuaranteePrimacy},
	} {
		forged := append([]tenure.Lineage{}, read...)
		row.edit(forged)
		if v := tenure.Audit(forged); v == nil || v.Guarantee != row.guarantee {
			t.Errorf("%s: want a breach of %s, got %v", row.what, row.guarantee, v)
		}
	}
}

func TestAStoredLineageIsReadBackOrRefused(t *testing.T) {
	for _, l := range append([]tenure.Lineage{lineage(t, "tso")}, versions(t)...) {
		data := l.Append(nil)
		got, err := tenure.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l, got); diff != "" {
			t.Error(diff)
		}
		for i := range data {
			cut := data[:i]
			if _, err := tenure.Decode(cut); err == nil || err.Reason != candor.ReasonDataCorrupt {
				t.Errorf("%d of %d bytes are taken for a lineage: %v", i, len(data), err)
			}
		}
		if _, err := tenure.Decode(append(bytes.Clone(data), 0x30, 1)); err == nil {
			t.Error("a field of a later form is passed over")
		}
		data[1]++
		if _, err := tenure.Decode(data); err == nil {
			t.Error("another version is taken for this one")
		}
	}
}

// The digest is part of the protocol: other implementations must compute it.
func TestTheDigestOfASealIsFixed(t *testing.T) {
	all := versions(t)
	const want = "9520d85fe28f8b571f23707fb8e96013dd0f003e4094eee880fc1d7aa1871927"
	if got := all[2].Current.Seal.String(); got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}
