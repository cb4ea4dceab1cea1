package evidence

import (
	"github.com/candor-plane/candor/verify/determinism"
	"github.com/candor-plane/candor/verify/durability"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/lineage"
	"github.com/candor-plane/candor/verify/placements"
	"github.com/candor-plane/candor/verify/watches"
)

// Evidence is what was recorded of one run. Records of a kind are in no order, unless
// their type says so.
type Evidence struct {
	// Source says where it comes from, for people.
	Source  string
	History *history.History

	Watches []watches.Stream
	Floors  []watches.Floor

	Numbers []Number
	Beliefs []lineage.Belief
	Acts    []lineage.Act

	// Versions are what the cluster kept of objects, Finals complete lists, read after
	// the run.
	Versions []history.Versions
	Finals   []durability.Final
	Repeats  []durability.Repeat

	Claims    []placements.Claim
	Decisions []placements.Decision

	Digests []determinism.Digest
	Replays []determinism.Replay
	Turns   []determinism.Turns
}

// Number is numbers that somebody was given by the holder of a duty: Count of them,
// from First.
type Number struct {
	Duty   string        `json:"duty"`
	Holder string        `json:"holder"`
	Era    uint64        `json:"era"`
	First  uint64        `json:"first"`
	Count  uint64        `json:"count"`
	Asked  history.Stamp `json:"asked"`
	Told   history.Stamp `json:"told"`
}
