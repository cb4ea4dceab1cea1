package replay

import (
	"context"

	"github.com/candor-plane/candor/verify/history"
)

// Start is what came of a replay from one base.
type Start struct {
	Base    Base   `json:"base"`
	Entries uint64 `json:"entries"`
	Digest  Digest `json:"digest"`
	// Problem is why there is no digest.
	Problem string          `json:"problem,omitempty"`
	Verdict history.Verdict `json:"verdict"`
}

// Starts replays the source from each base, up to where whole ended, and compares: the
// state does not depend on where a replay begins. whole is the run from the oldest.
func Starts(ctx context.Context, source Source, whole *Report) ([]Start, history.Verdict, error) {
	verdict := history.Inconclusive
	var out []Start
	for _, base := range source.Origin().Bases() {
		if base == whole.Base || base.Index > whole.Last {
			continue
		}
		start := Start{Base: base, Verdict: history.Pass}
		p, err := begin(ctx, source, base, nil)
		if err == nil {
			err = p.play(ctx, whole.Last, nil)
		}
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		switch {
		case err != nil:
			start.Problem, start.Verdict = err.Error(), history.Violated
		default:
			start.Entries, start.Digest = p.entries, Digest(p.machine.View().Digest())
			if start.Digest != whole.Digest {
				start.Verdict = history.Violated
			}
		}
		out = append(out, start)
		if start.Verdict == history.Violated || verdict == history.Inconclusive {
			verdict = start.Verdict
		}
	}
	return out, verdict, nil
}
