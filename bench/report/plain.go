package report

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/round"
	"github.com/candor-plane/candor/bench/target"
)

// widestSpread is the share of the plain ratio beyond which the plain rounds' own
// differences would excuse too much.
const widestSpread = 1.0 / 3

// Plain is the work of a secured row without TLS and access control, measured in
// the same rounds, and what those two cost.
type Plain struct {
	Candor *float64    `json:"candor"`
	Peer   *float64    `json:"peer"`
	Ratio  *float64    `json:"ratio"`
	Spread PlainSpread `json:"spread"`
	// CandorCost and PeerCost are each side's secured value over its plain one.
	CandorCost Cost `json:"candor_cost"`
	PeerCost   Cost `json:"peer_cost"`
}

// PlainSpread is the least and greatest plain value over the rounds that count.
type PlainSpread struct {
	Candor *Range `json:"candor"`
	Peer   *Range `json:"peer"`
	// Ratio is over the ratios of single rounds.
	Ratio *Range `json:"ratio"`
}

// Cost is a quotient of medians, and the quotients of single rounds.
type Cost struct {
	Quotient *float64 `json:"quotient"`
	Spread   *Range   `json:"spread"`
}

func plain(rounds []round.Round, metric experiment.Metric) *Plain {
	c := compare(rounds, metric, round.Plain(Candor), round.Plain(Peer))
	return &Plain{
		Candor: c.over, Peer: c.under, Ratio: c.ratio,
		Spread:     PlainSpread{Candor: c.overSpread, Peer: c.underSpread, Ratio: c.ratioSpread},
		CandorCost: cost(rounds, metric, Candor), PeerCost: cost(rounds, metric, Peer),
	}
}

func cost(rounds []round.Round, metric experiment.Metric, side string) Cost {
	c := compare(rounds, metric, side, round.Plain(side))
	return Cost{Quotient: c.ratio, Spread: c.ratioSpread}
}

// held is what a promise about the plain ratio comes to in this row, or why that
// cannot be told.
func (r *Row) held(promised target.Target) (target.Target, string) {
	if r.Plain == nil || r.Plain.Ratio == nil || r.Plain.Spread.Ratio == nil {
		return promised, "not both sides were measured plain: whether the ratio holds is not judged"
	}
	if r.Spread.Rounds < 2 {
		return promised, "one round has no spread: whether the plain ratio holds is not judged"
	}
	apart := r.Plain.Spread.Ratio[1] - r.Plain.Spread.Ratio[0]
	if apart > widestSpread**r.Plain.Ratio {
		return promised, fmt.Sprintf("the plain ratios of single rounds lie %.0f %% of it apart: too far to judge by", 100*apart / *r.Plain.Ratio)
	}
	return promised.Against(*r.Plain.Ratio, apart), ""
}

// writePlain prints what secured rows are beside, and what TLS and access control
// change on either side.
func writePlain(w io.Writer, rows []Row) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	begun := false
	for _, r := range rows {
		if r.Plain == nil {
			continue
		}
		if !begun {
			begun = true
			fmt.Fprintln(table, "\nSECURED ROW\tUNIT\tPLAIN CANDOR\tSECURED\tSPREAD\tPLAIN PEER\tSECURED\tSPREAD\tPLAIN RATIO\tSPREAD\tSECURED RATIO")
		}
		p := r.Plain
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.Name, r.Unit, number(p.Candor), p.CandorCost.change(), p.CandorCost.changes(),
			number(p.Peer), p.PeerCost.change(), p.PeerCost.changes(),
			number(p.Ratio), between(p.Spread.Ratio), number(r.Ratio))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print what rows are without TLS: %w", err)
	}
	return nil
}

func (c Cost) change() string {
	if c.Quotient == nil {
		return "-"
	}
	return percent(*c.Quotient) + " %"
}

func (c Cost) changes() string {
	if c.Spread == nil {
		return "-"
	}
	return percent(c.Spread[0]) + ".." + percent(c.Spread[1])
}

func percent(quotient float64) string { return fmt.Sprintf("%+.1f", 100*(quotient-1)) }
