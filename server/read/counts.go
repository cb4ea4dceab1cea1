package read

import (
	"sync/atomic"

	"github.com/candor-plane/candor"
)

var (
	classes    = []candor.Freshness{candor.FreshnessStrong, candor.FreshnessBounded, candor.FreshnessBestEffort}
	mechanisms = []candor.Mechanism{candor.MechanismLeaderReadIndex, candor.MechanismFollowerReadIndex, candor.MechanismProvenView, candor.MechanismView}
)

// counts are of this boot.
type counts struct {
	probes, failed atomic.Uint64
	reads          [3][4]atomic.Uint64
}

func (c *counts) served(class candor.Freshness, mechanism candor.Mechanism) {
	for i := range classes {
		if classes[i] != class {
			continue
		}
		for j := range mechanisms {
			if mechanisms[j] == mechanism {
				c.reads[i][j].Add(1)
				return
			}
		}
	}
}

// Count is how many reads of a class were served by a mechanism.
type Count struct {
	Class     candor.Freshness
	Mechanism candor.Mechanism
	Count     uint64
}

func (c *counts) list() []Count {
	var out []Count
	for i, class := range classes {
		for j, mechanism := range mechanisms {
			if n := c.reads[i][j].Load(); n > 0 {
				out = append(out, Count{class, mechanism, n})
			}
		}
	}
	return out
}
