package network

// Counters are what faults did to what servers sent, since the link exists. What
// Delivers sends is no part of them.
type Counters struct {
	// Connections that began over the direction; of proxies alone.
	Connections int64 `json:"connections"`
	// Messages that met a fault's direction, and their bytes.
	Messages int64 `json:"messages"`
	Bytes    int64 `json:"bytes"`
	// Of these: lost, over proxies once for each repetition that failed, and once for
	// each that a cut held up; delayed; overtaken; doubled.
	Lost       int64 `json:"lost"`
	Delayed    int64 `json:"delayed"`
	Reordered  int64 `json:"reordered"`
	Duplicated int64 `json:"duplicated"`
	// Held are the bytes that wait now.
	Held int64 `json:"held"`
}

// Faults are all effects together.
func (c Counters) Faults() int64 { return c.Lost + c.Delayed + c.Reordered + c.Duplicated }

func (c Counters) plus(o Counters) Counters {
	c.Connections += o.Connections
	c.Messages += o.Messages
	c.Bytes += o.Bytes
	c.Lost += o.Lost
	c.Delayed += o.Delayed
	c.Reordered += o.Reordered
	c.Duplicated += o.Duplicated
	c.Held += o.Held
	return c
}

// since is what was counted after an earlier look; Held is that of now.
func (c Counters) since(o Counters) Counters {
	return Counters{
		Connections: c.Connections - o.Connections, Messages: c.Messages - o.Messages, Bytes: c.Bytes - o.Bytes,
		Lost: c.Lost - o.Lost, Delayed: c.Delayed - o.Delayed, Reordered: c.Reordered - o.Reordered,
		Duplicated: c.Duplicated - o.Duplicated, Held: c.Held,
	}
}
