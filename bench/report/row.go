package report

import (
	"cmp"
	"fmt"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/round"
	"github.com/candor-plane/candor/bench/system"
	"github.com/candor-plane/candor/bench/target"
)

// The names of the sides in rounds and rows.
const (
	Candor = "candor"
	Peer   = "peer"
)

// Row is one metric of one experiment on both sides. Absent numbers were not
// measured.
type Row struct {
	Name   string   `json:"name"`
	Unit   string   `json:"unit"`
	Candor *float64 `json:"candor"`
	Peer   *float64 `json:"peer"`
	// Ratio is Candor's median over the peer's.
	Ratio *float64 `json:"ratio"`
	// Plain is the same work plain, of a row whose sides are secured.
	Plain *Plain `json:"plain,omitempty"`
	// Beside is who the peer was, where it was not the other system.
	Beside string   `json:"beside,omitempty"`
	Spread Spread   `json:"spread"`
	Target []Target `json:"target"`
	// Met says whether every target's floor was reached; absent without a target
	// and where it could not be judged.
	Met *bool `json:"met"`
	// Note says why a row is not what it should be.
	Note string `json:"note,omitempty"`
}

// Spread is the least and greatest value over the rounds that count.
type Spread struct {
	Candor *Range `json:"candor"`
	Peer   *Range `json:"peer"`
	// Ratio is over the ratios of single rounds.
	Ratio    *Range `json:"ratio"`
	Rounds   int    `json:"rounds"`
	Rejected int    `json:"rejected"`
}

// Target is one promise about the row and what became of it.
type Target struct {
	On         string `json:"on"`
	Floor      string `json:"floor"`
	Stretch    string `json:"stretch,omitempty"`
	FloorMet   *bool  `json:"floor_met"`
	StretchMet *bool  `json:"stretch_met,omitempty"`
}

// Rows makes one row per metric. Without judging, targets are left out: they
// are meant for one setting of the machine only.
func Rows(outcome round.Outcome, judge bool) []Row {
	rows := make([]Row, 0, len(outcome.Experiment.Metrics))
	for _, metric := range outcome.Experiment.Metrics {
		row := build(outcome, metric)
		if judge {
			row.judge(metric, outcome)
		}
		rows = append(rows, row)
	}
	return rows
}

func build(outcome round.Outcome, metric experiment.Metric) Row {
	c := compare(outcome.Rounds, metric, Candor, Peer)
	row := Row{
		Name: outcome.Experiment.RowName(metric),
		Unit: metric.Unit, Beside: string(outcome.Experiment.Stage.Beside),
		Candor: c.over, Peer: c.under, Ratio: c.ratio,
		Spread: Spread{
			Candor: c.overSpread, Peer: c.underSpread, Ratio: c.ratioSpread,
			Rounds: len(outcome.Rounds), Rejected: outcome.Rejected,
		},
		Note: note(outcome),
	}
	if outcome.Experiment.Stage.Security != system.Plain {
		row.Plain = plain(outcome.Rounds, metric)
	}
	return row
}

func (r *Row) judge(metric experiment.Metric, outcome round.Outcome) {
	all, known := true, true
	for _, promised := range target.For(r.Name) {
		judgeable := !outcome.Noisy && outcome.Err == nil
		if promised.Basis == target.Held {
			var why string
			if promised, why = r.held(promised); why != "" {
				judgeable = false
				r.Note = cmp.Or(r.Note, why)
			}
		}
		t := Target{On: "ratio", Floor: promised.Bound(promised.Floor, metric.Unit)}
		measured := r.Ratio
		switch promised.Basis {
		case target.Candor:
			t.On, measured = Candor, r.Candor
		case target.Excess:
			t.On, measured = "excess", r.excess()
		case target.Ratio, target.Held:
		}
		if promised.Stretch != 0 {
			t.Stretch = promised.Bound(promised.Stretch, metric.Unit)
		}
		if measured != nil && judgeable {
			verdict := promised.Judge(*measured)
			floor, stretch := verdict != target.Missed, verdict == target.Stretched
			t.FloorMet = &floor
			if promised.Stretch != 0 {
				t.StretchMet = &stretch
			}
			all = all && floor
		} else {
			known = false
		}
		r.Target = append(r.Target, t)
	}
	if len(r.Target) > 0 && known {
		r.Met = &all
	}
}

// excess is nil unless both sides were measured.
func (r *Row) excess() *float64 {
	if r.Candor == nil || r.Peer == nil {
		return nil
	}
	more := *r.Candor - *r.Peer
	return &more
}

func note(outcome round.Outcome) string {
	switch {
	case outcome.Err != nil:
		return fmt.Sprintf("%d of %d rounds: %v", len(outcome.Rounds), outcome.Experiment.Rounds, outcome.Err)
	case outcome.Noisy:
		return "every round was noisy: other processes used the machine"
	case len(outcome.Rounds) < outcome.Experiment.Rounds:
		return fmt.Sprintf("%d of %d rounds were quiet", len(outcome.Rounds), outcome.Experiment.Rounds)
	}
	return ""
}
