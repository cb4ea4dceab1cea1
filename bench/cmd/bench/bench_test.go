package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/report"
)

func TestWrongUseIsRefusedWithWhatWasWanted(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--no-such-flag"}, "no-such-flag"},
		{[]string{"update"}, `argument "update"`},
		{[]string{"--rows", "("}, "--rows"},
		{[]string{"--rows", "nothing-like-it"}, "matches no row"},
		{[]string{"--only", "zookeeper"}, "wanted candor or peer"},
		{[]string{"--check", "--only", "peer"}, "--check needs both sides"},
		{[]string{"--check", "--peer-candor", "candor"}, "--check needs both sides"},
		{[]string{"--check", "--fsync-delay", "2ms"}, "--check needs both sides"},
		{[]string{"--fsync-delay", "1m"}, "wanted 0 to 1s"},
		{[]string{"--noise-limit", "0"}, "wanted more than 0"},
		{[]string{"member-etcd"}, "wanted --config FILE"},
	} {
		var out, narration bytes.Buffer
		if code := run(t.Context(), c.args, &out, &narration); code != exitUsage {
			t.Errorf("%q: exit %d, wanted %d", c.args, code, exitUsage)
		}
		if !strings.Contains(narration.String(), c.want) {
			t.Errorf("%q: %q lacks %q", c.args, narration.String(), c.want)
		}
	}
}

func TestTheListNamesEveryRowWithItsTargets(t *testing.T) {
	var out, narration bytes.Buffer
	if code := run(t.Context(), []string{"--list"}, &out, &narration); code != exitDone {
		t.Fatalf("exit %d: %s", code, narration.String())
	}
	for _, want := range []string{"update/1000/rate", "≥ 1.6×", "failover/equal/gap", "≤ 0.5×, ≤ 0.7 s", "scale/list-rss", "tls/update/256/rate", "≥ plain - 1 spread"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the list", want)
		}
	}
}

func TestRowsThatHaveNobodyToMeasureAreLeftOut(t *testing.T) {
	for _, c := range []struct {
		args                   []string
		etcd, alone, witnesses bool
	}{
		{nil, true, true, false},
		{[]string{"--witnessless", "b"}, true, true, true},
		{[]string{"--only", "candor", "--witnessless", "b"}, true, true, true},
		{[]string{"--only", "peer", "--witnessless", "b"}, true, false, false},
		{[]string{"--peer-candor", "b", "--witnessless", "b"}, true, false, false},
	} {
		o, err := parse(c.args, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		got := map[experiment.Rival]bool{}
		for _, e := range o.experiments() {
			got[e.Stage.Beside] = true
		}
		want := map[experiment.Rival]bool{
			experiment.Peer: c.etcd, experiment.Nobody: c.alone, experiment.WithoutBeacon: c.alone, experiment.WithoutWitness: c.witnesses,
		}
		for rival, measured := range want {
			if got[rival] != measured {
				t.Errorf("%q: beside %q: %v, wanted %v", c.args, rival, got[rival], measured)
			}
		}
	}
}

func TestTheExitCodeTellsMissedFromUnmeasured(t *testing.T) {
	one, yes, no := 1.0, true, false
	row := func(met *bool) report.Row {
		return report.Row{Name: "update/256/rate", Candor: &one, Peer: &one, Met: met, Target: []report.Target{{}}}
	}
	unmeasured := report.Row{Name: "update/256/rate"}
	for _, c := range []struct {
		name  string
		check bool
		row   report.Row
		want  int
	}{
		{"met", true, row(&yes), exitDone},
		{"missed", true, row(&no), exitMissed},
		{"not judged", true, row(nil), exitMissed},
		{"missed, not asked", false, row(&no), exitDone},
		{"unmeasured", true, unmeasured, exitError},
		{"unmeasured, not asked", false, unmeasured, exitError},
	} {
		b := bench{options: options{check: c.check}}
		if code, _ := b.verdict(report.Document{Rows: []report.Row{c.row}}); code != c.want {
			t.Errorf("%s: exit %d, wanted %d", c.name, code, c.want)
		}
	}
}

func TestDataOfAKilledRunIsRemovedAndThatOfALiveOneKept(t *testing.T) {
	parent := t.TempDir()
	// Process IDs end below 2^22: this one never lives.
	left := filepath.Join(parent, scratchPrefix+"99999999-abc")
	foreign := filepath.Join(parent, scratchPrefix+"notes")
	for _, dir := range []string{left, foreign} {
		if err := os.MkdirAll(filepath.Join(dir, "member-0"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	mine, err := scratch(parent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scratch(parent); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("data of a dead process is still there: %v", err)
	}
	for _, dir := range []string{mine, foreign} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("removed what was not left behind: %v", err)
		}
	}
}
