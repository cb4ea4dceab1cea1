package limit

import "maps"

// GateStats is what a gate has counted since it was made, and what is open now.
type GateStats struct {
	Open, Limit int
	Accepted    uint64
	// Refused counts by cause: RATE, ADDRESS_CONNECTIONS, CONNECTIONS.
	Refused map[Cause]uint64
	// Addresses are remembered now; Forgotten were.
	Addresses int
	Forgotten uint64
	// Busiest are the addresses with most open, then with most that were
	// accepted and refused.
	Busiest []Busy
}

// Stats visits every address that is remembered, and holds up Accept meanwhile.
func (g *Gate) Stats() GateStats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return GateStats{
		Open: g.open, Limit: g.settings.Connections, Accepted: g.accepted, Refused: maps.Clone(g.counts),
		Addresses: len(g.origins.known), Forgotten: g.origins.forgotten, Busiest: g.origins.busiest(),
	}
}

func (s *origins) busiest() []Busy {
	var few []Busy
	for _, o := range s.known {
		if o.open > 0 || o.refused > 0 {
			few = among(few, Busy{Key: nameOf(o.address), InUse: o.open, Entered: o.accepted, Refused: o.refused})
		}
	}
	return few
}
