package scheduler

import "github.com/candor-plane/candor"

// The places of the two resources that every node is scored by.
const (
	cpuAt = iota
	memoryAt
	firstOther
)

// ledger has a row of amounts for each slot. A resource's place in the rows is given
// when its name is first seen, so nothing that leaves the package may follow it.
type ledger struct {
	places map[string]int
	names  []string
	stride int
	// free is capacity less what live placements hold; it may be negative.
	free     []int64
	capacity []int64
	// inverse is floor(2^64-1 / capacity), 0 where there is none: see percent.
	inverse []uint64
	// filled counts, from 1, what changed a slot's row: a cell is right for one count.
	filled []uint64
}

func newLedger() ledger {
	return ledger{
		places: map[string]int{candor.ResourceCPU: cpuAt, candor.ResourceMemory: memoryAt},
		names:  []string{candor.ResourceCPU, candor.ResourceMemory},
		stride: firstOther + 2,
	}
}

// place of a resource; new names may make every row wider.
func (l *ledger) place(name string) int {
	if at, ok := l.places[name]; ok {
		return at
	}
	at := len(l.names)
	l.places[name] = at
	l.names = append(l.names, name)
	if at >= l.stride {
		l.widen(2 * l.stride)
	}
	return at
}

func (l *ledger) widen(stride int) {
	slots := len(l.free) / l.stride
	free, capacity, inverse := make([]int64, slots*stride), make([]int64, slots*stride), make([]uint64, slots*stride)
	for s := range slots {
		copy(free[s*stride:], l.free[s*l.stride:(s+1)*l.stride])
		copy(capacity[s*stride:], l.capacity[s*l.stride:(s+1)*l.stride])
		copy(inverse[s*stride:], l.inverse[s*l.stride:(s+1)*l.stride])
	}
	l.stride, l.free, l.capacity, l.inverse = stride, free, capacity, inverse
}

// grow adds the row of one more slot.
func (l *ledger) grow() {
	l.free = append(l.free, make([]int64, l.stride)...)
	l.capacity = append(l.capacity, make([]int64, l.stride)...)
	l.inverse = append(l.inverse, make([]uint64, l.stride)...)
	l.filled = append(l.filled, 1)
}

// provide sets the capacity of a slot; what is held there stays held.
func (l *ledger) provide(slot int32, capacity candor.Resources) {
	for _, a := range capacity {
		l.place(a.Name)
	}
	l.touch(slot)
	base := int(slot) * l.stride
	for at, name := range l.names {
		amount := capacity.Get(name)
		l.free[base+at] += amount - l.capacity[base+at]
		l.capacity[base+at] = amount
		l.inverse[base+at] = 0
		if amount > 0 {
			l.inverse[base+at] = ^uint64(0) / uint64(amount)
		}
	}
}

// touch says that a row has changed.
func (l *ledger) touch(slot int32) { l.filled[slot]++ }

// take holds amounts of a slot. Names that no node has had yet get their place.
func (l *ledger) take(slot int32, requests []request) {
	for i := range requests {
		if requests[i].at == unplaced {
			requests[i].at = l.place(requests[i].name)
		}
	}
	l.touch(slot)
	base := int(slot) * l.stride
	for _, r := range requests {
		l.free[base+r.at] -= r.amount
	}
}

func (l *ledger) give(slot int32, requests []request) {
	l.touch(slot)
	base := int(slot) * l.stride
	for _, r := range requests {
		l.free[base+r.at] += r.amount
	}
}

func (l *ledger) clone() ledger {
	c := newLedger()
	c.names, c.stride = append([]string(nil), l.names...), l.stride
	for at, name := range c.names {
		c.places[name] = at
	}
	c.free, c.capacity, c.inverse = append([]int64(nil), l.free...), append([]int64(nil), l.capacity...), append([]uint64(nil), l.inverse...)
	c.filled = append([]uint64(nil), l.filled...)
	return c
}

// unplaced is the place of a resource that no node and no placement has named: what is
// only asked for makes no row wider.
const unplaced = -1

// find sets the places of requests that have got one; false while some have none.
func (l *ledger) find(requests []request) bool {
	all := true
	for i := range requests {
		if requests[i].at != unplaced {
			continue
		}
		at, ok := l.places[requests[i].name]
		if !ok {
			all = false
			continue
		}
		requests[i].at = at
	}
	return all
}

// request is an amount that a class needs, with its place in the rows.
type request struct {
	at     int
	name   string
	amount int64
}
