package report_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/report"
	"github.com/candor-plane/candor/bench/round"
	"github.com/candor-plane/candor/bench/system"
)

// secured makes rounds of candor, peer, and the two of them plain.
func secured(name string, metric experiment.Metric, rounds ...[4]float64) round.Outcome {
	o := round.Outcome{Experiment: experiment.Experiment{
		Name: name, Rounds: len(rounds), Metrics: []experiment.Metric{metric}, Stage: experiment.Stage{Security: system.Secured},
	}}
	for _, r := range rounds {
		o.Rounds = append(o.Rounds, round.Round{
			report.Candor: {metric.Name: r[0]}, report.Peer: {metric.Name: r[1]},
			round.Plain(report.Candor): {metric.Name: r[2]}, round.Plain(report.Peer): {metric.Name: r[3]},
		})
	}
	return o
}

func TestASecuredRowSaysWhatSecurityCostsEachSide(t *testing.T) {
	row := report.Rows(secured("tls/update/64", perSecond, [4]float64{90, 40, 100, 50}, [4]float64{80, 45, 100, 50}, [4]float64{95, 30, 100, 50}), true)[0]
	p := row.Plain
	if p == nil || *p.Candor != 100 || *p.Peer != 50 || *p.Ratio != 2 || *row.Candor != 90 || *row.Peer != 40 {
		t.Fatalf("row: %+v, plain: %+v", row, p)
	}
	for _, c := range []struct {
		side   string
		cost   report.Cost
		median float64
		spread report.Range
	}{
		{"candor", p.CandorCost, 0.9, report.Range{0.8, 0.95}},
		{"peer", p.PeerCost, 0.8, report.Range{0.6, 0.9}},
	} {
		if math.Abs(*c.cost.Quotient-c.median) > 1e-12 || *c.cost.Spread != c.spread {
			t.Errorf("%s: %v over %v", c.side, *c.cost.Quotient, *c.cost.Spread)
		}
	}
	var out bytes.Buffer
	if err := report.WriteTable(&out, []report.Row{row}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PLAIN CANDOR", "-10.0 %", "-20.0..-5.0", "-20.0 %", "2.00..2.00"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestASecuredRatioIsJudgedByThePlainOneOfTheSameRounds(t *testing.T) {
	p99 := experiment.Metric{Name: "p99", Unit: "ms", Better: experiment.Lower}
	// Plain, the ratios are 1.75 to 2.25, their medians' is 2.
	apart := [][4]float64{{0, 100, 175, 100}, {0, 100, 200, 100}, {0, 100, 225, 100}}
	for _, c := range []struct {
		metric experiment.Metric
		candor float64
		met    bool
	}{{perSecond, 150, true}, {perSecond, 149, false}, {perSecond, 900, true}, {p99, 250, true}, {p99, 251, false}, {p99, 5, true}} {
		rounds := make([][4]float64, len(apart))
		for i := range apart {
			rounds[i] = apart[i]
			rounds[i][0] = c.candor
		}
		row := report.Rows(secured("tls/update/64", c.metric, rounds...), true)[0]
		if row.Met == nil || *row.Met != c.met {
			t.Errorf("%s, candor %v beside 100: %+v", c.metric.Name, c.candor, row.Target)
		}
	}
}

func TestASecuredRatioIsNotJudgedWithoutASpread(t *testing.T) {
	row := report.Rows(secured("tls/update/64", perSecond, [4]float64{500, 50, 100, 50}), true)[0]
	if row.Met != nil || len(row.Target) != 1 || !strings.Contains(row.Note, "no spread") {
		t.Errorf("one round: %+v", row)
	}
	wide := [][4]float64{{90, 50, 80, 50}, {90, 50, 100, 50}, {90, 50, 115, 50}}
	row = report.Rows(secured("tls/update/64", perSecond, wide...), true)[0]
	if row.Met != nil || !strings.Contains(row.Note, "lie 35 % of it apart") {
		t.Errorf("plain rounds far apart: %+v", row)
	}
	noisy := secured("tls/update/64", perSecond, [4]float64{500, 50, 100, 50}, [4]float64{500, 50, 100, 50})
	noisy.Noisy = true
	if row := report.Rows(noisy, true)[0]; row.Met != nil {
		t.Errorf("noisy rounds: %+v", row)
	}
	alone := secured("tls/update/64", perSecond, [4]float64{500, 50, 100, 50}, [4]float64{500, 50, 100, 50})
	for _, r := range alone.Rounds {
		delete(r, report.Peer)
		delete(r, round.Plain(report.Peer))
	}
	row = report.Rows(alone, true)[0]
	if row.Met != nil || row.Plain.Ratio != nil || *row.Plain.CandorCost.Quotient != 5 {
		t.Errorf("one side: %+v", row)
	}
}
