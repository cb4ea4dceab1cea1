package report

import (
	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/round"
)

// comparison is two sides of the same rounds: their medians and the ratio of
// those, and the range of each over single rounds. What was not measured is nil.
type comparison struct {
	over, under, ratio                   *float64
	overSpread, underSpread, ratioSpread *Range
}

func compare(rounds []round.Round, metric experiment.Metric, over, under string) comparison {
	var overs, unders, ratios []float64
	for _, r := range rounds {
		o, hasOver := r[over][metric.Name]
		u, hasUnder := r[under][metric.Name]
		if hasOver {
			overs = append(overs, o)
		}
		if hasUnder {
			unders = append(unders, u)
		}
		if hasOver && hasUnder && u != 0 {
			ratios = append(ratios, o/u)
		}
	}
	c := comparison{overSpread: spread(overs), underSpread: spread(unders), ratioSpread: spread(ratios)}
	if o, ok := median(overs); ok {
		c.over = &o
	}
	if u, ok := median(unders); ok {
		c.under = &u
	}
	if c.over != nil && c.under != nil && *c.under != 0 {
		ratio := *c.over / *c.under
		c.ratio = &ratio
	}
	return c
}
