package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/report"
	"github.com/candor-plane/candor/bench/round"
	"github.com/candor-plane/candor/bench/target"
)

func outcome(name string, metric experiment.Metric, pairs ...[2]float64) round.Outcome {
	o := round.Outcome{Experiment: experiment.Experiment{Name: name, Rounds: len(pairs), Metrics: []experiment.Metric{metric}}}
	for _, p := range pairs {
		o.Rounds = append(o.Rounds, round.Round{
			report.Candor: {metric.Name: p[0]}, report.Peer: {metric.Name: p[1]},
		})
	}
	return o
}

var perSecond = experiment.Metric{Name: "rate", Unit: "op/s", Better: experiment.Higher}

func TestARowIsMediansTheirRatioAndTheRangeOverRounds(t *testing.T) {
	for _, c := range []struct {
		pairs               [][2]float64
		candor, peer, ratio float64
		spread              report.Range
	}{
		{[][2]float64{{100, 50}, {300, 100}, {200, 80}}, 200, 80, 2.5, report.Range{2, 3}},
		{[][2]float64{{100, 50}, {300, 100}}, 200, 75, 200.0 / 75, report.Range{2, 3}},
		{[][2]float64{{7, 14}}, 7, 14, 0.5, report.Range{0.5, 0.5}},
	} {
		row := report.Rows(outcome("x", perSecond, c.pairs...), true)[0]
		if *row.Candor != c.candor || *row.Peer != c.peer || math.Abs(*row.Ratio-c.ratio) > 1e-12 {
			t.Errorf("%v: candor %v, peer %v, ratio %v", c.pairs, *row.Candor, *row.Peer, *row.Ratio)
		}
		if *row.Spread.Ratio != c.spread || row.Spread.Rounds != len(c.pairs) {
			t.Errorf("%v: spread %+v", c.pairs, row.Spread)
		}
		if row.Met != nil || row.Target != nil {
			t.Errorf("a row without a target was judged: %+v", row)
		}
	}
}

// What the beacon costs is the difference of two medians, and of nothing where one
// of them is missing.
func TestAnExcessIsJudgedByTheDifference(t *testing.T) {
	cpu := experiment.Metric{Name: "cpu", Unit: "% core", Better: experiment.Lower}
	for _, c := range []struct {
		candor, peer float64
		met          bool
	}{{3.9, 3, true}, {4.1, 3, false}, {2, 3, true}} {
		row := report.Rows(outcome("beacon", cpu, [2]float64{c.candor, c.peer}), true)[0]
		if row.Met == nil || *row.Met != c.met {
			t.Errorf("%v beside %v: %+v", c.candor, c.peer, row.Target)
		}
	}
	alone := round.Outcome{
		Experiment: experiment.Experiment{Name: "beacon", Rounds: 1, Metrics: []experiment.Metric{cpu}},
		Rounds:     []round.Round{{report.Candor: {"cpu": 0.5}}},
	}
	if row := report.Rows(alone, true)[0]; row.Met != nil {
		t.Errorf("judged without a peer: %+v", row)
	}
}

func TestWhatWasNotMeasuredIsAbsent(t *testing.T) {
	o := round.Outcome{
		Experiment: experiment.Experiment{Name: "update/256", Rounds: 1, Metrics: []experiment.Metric{perSecond}},
		Rounds:     []round.Round{{report.Peer: {"rate": 9000}}},
	}
	row := report.Rows(o, true)[0]
	if row.Candor != nil || row.Ratio != nil || row.Spread.Candor != nil || row.Met != nil || *row.Peer != 9000 {
		t.Errorf("row: %+v", row)
	}
	if d := (report.Document{Rows: []report.Row{row}}); len(d.Unmet()) != 1 {
		t.Error("an unmeasured target counts as met")
	}
	zero := report.Rows(outcome("scale", experiment.Metric{Name: "list-rss", Unit: "MiB"}, [2]float64{5, 0}), true)[0]
	if zero.Ratio != nil || zero.Met != nil {
		t.Errorf("a ratio over zero: %+v", zero)
	}
}

func TestTargetsAreJudgedByTheMediansOnly(t *testing.T) {
	gap := experiment.Metric{Name: "gap", Unit: "s", Better: experiment.Lower}
	for _, c := range []struct {
		name string
		row  report.Row
		met  bool
		mark string
	}{
		{"stretch", report.Rows(outcome("update/256", perSecond, [2]float64{18, 10}), true)[0], true, "met+"},
		{"floor", report.Rows(outcome("update/256", perSecond, [2]float64{15, 10}), true)[0], true, "met"},
		{"missed", report.Rows(outcome("update/256", perSecond, [2]float64{13, 10}), true)[0], false, "MISSED"},
		{"one bad round of three", report.Rows(outcome("update/256", perSecond, [2]float64{15, 10}, [2]float64{1, 10}, [2]float64{15, 10}), true)[0], true, "met"},
		{"good ratio, absolute bound missed", report.Rows(outcome("failover/defaults", gap, [2]float64{0.8, 2}), true)[0], false, "MISSED"},
		{"both bounds", report.Rows(outcome("failover/defaults", gap, [2]float64{0.6, 1.4}), true)[0], true, "met"},
	} {
		if c.row.Met == nil || *c.row.Met != c.met {
			t.Errorf("%s: %+v", c.name, c.row)
		}
		var out bytes.Buffer
		if err := report.WriteTable(&out, []report.Row{c.row}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), c.mark) {
			t.Errorf("%s: %q is not in\n%s", c.name, c.mark, out.String())
		}
	}
}

func TestNoisyOrFailedRoundsAreShownAndNotJudged(t *testing.T) {
	noisy := outcome("update/256", perSecond, [2]float64{99, 10})
	noisy.Noisy, noisy.Rejected = true, 1
	failed := outcome("update/64", perSecond, [2]float64{99, 10})
	failed.Err = errors.New("member 1 ended")
	rows := append(report.Rows(noisy, true), report.Rows(failed, true)...)
	for _, row := range rows {
		if row.Met != nil || row.Note == "" || row.Candor == nil {
			t.Errorf("row: %+v", row)
		}
	}
	if d := (report.Document{Rows: rows}); len(d.Unmet()) != 2 {
		t.Errorf("unmet: %v", d.Unmet())
	}
	var out bytes.Buffer
	if err := report.WriteTable(&out, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"note: update/256: every round was noisy", "note: update/64: 1 of 1 rounds: member 1 ended", "1 (-1)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestEveryTargetNamesARowOfTheCatalogAndPointsTheRightWay(t *testing.T) {
	rows := map[string]experiment.Metric{}
	for _, e := range experiment.Catalog(experiment.Full()) {
		for _, m := range e.Metrics {
			if _, ok := rows[e.RowName(m)]; ok {
				t.Errorf("two rows are named %s", e.RowName(m))
			}
			rows[e.RowName(m)] = m
		}
	}
	for _, row := range target.Rows() {
		metric, ok := rows[row]
		if !ok {
			t.Errorf("the target of %s is about no row", row)
		}
		for _, promised := range target.For(row) {
			if (promised.Sense == target.AtLeast) != (metric.Better == experiment.Higher) {
				t.Errorf("%s: a target that asks for the worse", row)
			}
		}
	}
}

func TestTheDocumentHasTheAgreedFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results", "latest.json")
	document := report.Document{Rows: report.Rows(outcome("update/256", perSecond, [2]float64{18, 10}), true)}
	if err := document.Write(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Rows []map[string]any }
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"name", "unit", "candor", "peer", "ratio", "spread", "target", "met"} {
		if _, ok := got.Rows[0][field]; !ok {
			t.Errorf("no field %q in %v", field, got.Rows[0])
		}
	}
}
