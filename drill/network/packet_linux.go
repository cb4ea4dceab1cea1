package network

import (
	endian "encoding/binary"
	"time"
)

// held is a packet that waits.
type held struct {
	due    time.Time
	number uint64
	data   []byte
	way    *way
	// uncounted is what Delivers sent.
	uncounted bool
}

func (h held) count(c Counters) {
	if !h.uncounted {
		h.way.count(c)
	}
}

// packets is a heap: the first due first, and of those due together the first
// that came.
type packets []held

func (p packets) Len() int      { return len(p) }
func (p packets) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p packets) Less(i, j int) bool {
	if !p[i].due.Equal(p[j].due) {
		return p[i].due.Before(p[j].due)
	}
	return p[i].number < p[j].number
}

// Push is container/heap's.
func (p *packets) Push(x any) {
	if h, ok := x.(held); ok {
		*p = append(*p, h)
	}
}

// Pop is container/heap's.
func (p *packets) Pop() any {
	last := len(*p) - 1
	h := (*p)[last]
	(*p)[last] = held{}
	*p = (*p)[:last]
	return h
}

// probes says whether an IPv4 packet is one that send sent.
func probes(packet []byte) bool {
	const protocol, udp = 9, 17
	if len(packet) < 20+8 || packet[protocol] != udp {
		return false
	}
	header := int(packet[0]&0x0f) * 4
	return len(packet) >= header+8 && endian.BigEndian.Uint16(packet[header+2:]) == probePort
}
