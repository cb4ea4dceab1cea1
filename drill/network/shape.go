package network

import (
	"math"
	"time"

	"github.com/candor-plane/candor"
)

// Shape is what befalls a direction that is not cut. Shares are in percent, drawn
// for each message by the seed.
//
// Over namespaces a message is a packet as the sender's device hands it out: with
// segmentation offload up to 64 KiB of one connection. Over proxies it is what was
// read of a connection at once, up to 16 KiB, and the shape is what TCP would make
// of it for those who use the connection.
type Shape struct {
	// Delay of every message, and up to Jitter more. Neither reorders.
	Delay  time.Duration `json:"delay,omitempty"`
	Jitter time.Duration `json:"jitter,omitempty"`
	// Loss is the share that is lost. A stream shows it as the delay until it was sent
	// again, 200 ms and then twice as long each time up to 3.2 s, and all that follows on
	// the connection waits behind it: the pessimistic case, without fast retransmission.
	Loss int `json:"loss,omitempty"`
	// Reorder is the share that others overtake: it is held for Delay once more, for 10
	// ms at least. In a stream nothing overtakes, so what follows waits too.
	Reorder int `json:"reorder,omitempty"`
	// Duplicate is the share that arrives twice. In a stream TCP drops the second, so
	// proxies refuse it.
	Duplicate int `json:"duplicate,omitempty"`
}

const (
	leastOvertaken  = 10 * time.Millisecond
	firstRepetition = 200 * time.Millisecond
	lastRepetition  = 3200 * time.Millisecond
)

// check refuses what is no shape.
func (s Shape) check() error {
	if s.Delay < 0 || s.Jitter < 0 || s.Delay > math.MaxInt64/4 || s.Jitter > math.MaxInt64/4 {
		return candor.Errorf(candor.ReasonInvalid, "shape of a link: delay %s, jitter %s: want none below zero", s.Delay, s.Jitter)
	}
	for name, share := range map[string]int{"loss": s.Loss, "reorder": s.Reorder, "duplicate": s.Duplicate} {
		if share < 0 || share > 100 {
			return candor.Errorf(candor.ReasonInvalid, "shape of a link: %s is %d: want a share of 0 to 100 percent", name, share)
		}
	}
	if s == (Shape{}) {
		return candor.Errorf(candor.ReasonInvalid, "shape of a link: nothing befalls it: want a delay or a share")
	}
	return nil
}

// and is the shape of a direction that two faults befall: delays add up, and of
// the shares the larger counts.
func (s Shape) and(o Shape) Shape {
	return Shape{
		Delay: s.Delay + o.Delay, Jitter: s.Jitter + o.Jitter,
		Loss: max(s.Loss, o.Loss), Reorder: max(s.Reorder, o.Reorder), Duplicate: max(s.Duplicate, o.Duplicate),
	}
}
