package scheduler

import (
	"math/bits"

	"github.com/candor-plane/candor"
)

// The parts of a score, 0 to 100 each.
const (
	// packing: how little (Spread) or how much (BinPack) of the node is held afterwards.
	packing = iota
	// balance: how alike the held shares of cpu and memory are afterwards.
	balance
	// zones: how few of the same workload are in the zone.
	zones
	// spread: how few there are in the domains of the spread constraints that are wishes.
	spread
	// affinity: the met part of the affinities that are wishes, by weight.
	affinity
	// taints: how few taints there are that only prefer.
	taints
	// nominated: the node was made free for the instance.
	nominated
	parts
)

// The weights are part of Algorithm.
var (
	partNames = [parts]string{"packing", "balance", "zones", "spread", "affinity", "taints", "nominated"}
	weights   = [parts]int64{4, 1, 3, 3, 5, 5, 100}
)

// score is the parts that a node got, as a record holds them.
type score [recordBytes]uint8

func (s *score) total() int64 {
	sum := int64(0)
	for i := range parts {
		sum += int64(s[i]) * weights[i]
	}
	return sum
}

// scales are the scores of domains, computed once for all nodes.
type scales struct {
	zones   []uint8
	spreads [][]uint8 // per spread term; nil of those that are no wish
	wishes  int       // spread terms that are
}

// percent is x of the capacity whose inverse is given, rounded: 0 without a capacity.
// x is between 0 and the capacity.
func percent(x int64, inverse uint64) int64 {
	whole, _ := bits.Mul64(uint64(x)*inverse, 200)
	return int64(whole+1) / 2
}

// scale gives 100 to the domains with the fewest, and 0 to those with the most.
func scale(counts []int32, into []uint8) []uint8 {
	into = into[:0]
	if len(counts) == 0 {
		return into
	}
	least, most := counts[0], counts[0]
	for _, n := range counts {
		least, most = min(least, n), max(most, n)
	}
	for _, n := range counts {
		if most == least {
			into = append(into, 100)
			continue
		}
		into = append(into, uint8(100*int64(most-n)/int64(most-least)))
	}
	return into
}

func (q *question) rescale() {
	q.scales.zones = scale(q.over.domains, q.scales.zones)
	q.scales.wishes = 0
	for len(q.scales.spreads) < len(q.spreads) {
		q.scales.spreads = append(q.scales.spreads, nil)
	}
	for i := range q.spreads {
		if q.spreads[i].prefer {
			q.scales.wishes++
			q.scales.spreads[i] = scale(q.spreads[i].tally.domains, q.scales.spreads[i])
		}
	}
}

// fill brings the cell up to its slot's row: of every node only those few rows change
// between two decisions that something was placed on.
func (m *Model) fill(q *question, slot int32, at *cell) {
	at.filled, at.short = m.filled[slot], m.shortageAlone(q, slot)
	if at.short != 0 {
		return
	}
	base := int(slot) * m.stride
	var held [firstOther]int64
	sum := int64(0)
	for i := range q.weighed {
		w := &q.weighed[i]
		capacity := m.capacity[base+w.at]
		used := percent(min(capacity-max(m.free[base+w.at], 0)+w.amount, capacity), m.inverse[base+w.at])
		if w.at < firstOther {
			held[w.at] = used
		}
		sum += used
	}
	used := sum
	if len(q.weighed) == firstOther {
		used >>= 1
	} else {
		used /= int64(len(q.weighed))
	}
	at.packing = uint8(100 - used)
	if q.template.spec.Packing == candor.PackingBinPack {
		at.packing = uint8(used)
	}
	at.balance = uint8(100 - max(held[cpuAt]-held[memoryAt], held[memoryAt]-held[cpuAt]))
}

// rate scores a slot that fits.
func (m *Model) rate(q *question, slot int32, at *cell, into *score) {
	into[packing], into[balance] = at.packing, at.balance
	into[zones] = 0
	if d := q.over.topology.of(slot); d >= 0 {
		into[zones] = q.scales.zones[d]
	}
	into[spread], into[affinity], into[nominated] = 0, 0, 0
	if q.scales.wishes > 0 {
		into[spread] = m.rateSpread(q, slot)
	}
	if q.wanted > 0 {
		into[affinity] = m.rateAffinity(q, slot, at)
	}
	into[taints] = at.taints
	if slot == q.nominated {
		into[nominated] = 100
	}
}

func (m *Model) rateSpread(q *question, slot int32) uint8 {
	sum := 0
	for i := range q.spreads {
		if !q.spreads[i].prefer {
			continue
		}
		if d := q.spreads[i].tally.topology.of(slot); d >= 0 {
			sum += int(q.scales.spreads[i][d])
		}
	}
	return uint8(sum / q.scales.wishes)
}

func (m *Model) rateAffinity(q *question, slot int32, at *cell) uint8 {
	met := at.affinity
	for i := range q.near {
		n := &q.near[i]
		if n.weight == 0 {
			continue
		}
		count, in := n.tally.near(slot)
		if n.anti && (!in || count == 0) || !n.anti && count > 0 {
			met += n.weight
		}
	}
	return uint8(100 * met / q.wanted)
}
