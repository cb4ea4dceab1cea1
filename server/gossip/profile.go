package gossip

import "time"

// Profile is the tuning of one node. Nodes with different profiles understand
// each other; they only notice things sooner or later.
type Profile struct {
	// ProbeInterval is the pause between two probes by this node; each asks one
	// peer. ProbeTimeout is how long an answer may take.
	ProbeInterval time.Duration
	ProbeTimeout  time.Duration
	// SuspicionMult times ProbeInterval is how long a silent peer may still
	// object before it is declared DEAD (clusters of up to ten nodes).
	SuspicionMult int
	// GossipInterval is the pause between two rounds of pending messages.
	GossipInterval time.Duration
	// PushPullInterval is the pause between two full exchanges with one peer.
	PushPullInterval time.Duration
	// StreamTimeout bounds one TCP exchange, its dial included.
	StreamTimeout time.Duration
	// ReclaimAfter is how long a server must have been DEAD before its ID is
	// accepted at another address. One that said goodbye may move at once.
	ReclaimAfter time.Duration
	// GossipToTheDead is how long a DEAD peer is still sent messages, so that a
	// node declared DEAD in error hears of it and objects.
	GossipToTheDead time.Duration
	// RejoinInterval is the pause between two attempts to reach seeds and lost
	// peers while fewer are alive than expected.
	RejoinInterval time.Duration
	// HintInterval is the least time between two announcements of changed hints;
	// a new leader or term does not wait for it.
	HintInterval time.Duration
	// LeaveTimeout bounds the goodbye in Close; CloseTimeout bounds all of Close.
	LeaveTimeout time.Duration
	CloseTimeout time.Duration
	// Retention is how long a DEAD or LEFT member stays listed for people.
	Retention time.Duration
}

// DefaultProfile suits three to nine servers in one site or on one machine:
// among three, a crashed one is SUSPECT within five seconds and DEAD within eight.
func DefaultProfile() Profile {
	return Profile{
		ProbeInterval:    time.Second,
		ProbeTimeout:     500 * time.Millisecond,
		SuspicionMult:    4,
		GossipInterval:   100 * time.Millisecond,
		PushPullInterval: 15 * time.Second,
		StreamTimeout:    2 * time.Second,
		ReclaimAfter:     time.Second,
		GossipToTheDead:  30 * time.Second,
		RejoinInterval:   5 * time.Second,
		HintInterval:     time.Second,
		LeaveTimeout:     2 * time.Second,
		CloseTimeout:     10 * time.Second,
		Retention:        24 * time.Hour,
	}
}

func (p Profile) validate() error {
	durations := []struct {
		field string
		value time.Duration
	}{
		{"probe interval", p.ProbeInterval},
		{"probe timeout", p.ProbeTimeout},
		{"gossip interval", p.GossipInterval},
		{"push-pull interval", p.PushPullInterval},
		{"stream timeout", p.StreamTimeout},
		{"reclaim-after", p.ReclaimAfter},
		{"gossip-to-the-dead", p.GossipToTheDead},
		{"rejoin interval", p.RejoinInterval},
		{"hint interval", p.HintInterval},
		{"leave timeout", p.LeaveTimeout},
		{"close timeout", p.CloseTimeout},
		{"retention", p.Retention},
	}
	for _, d := range durations {
		if d.value <= 0 {
			return refuse("profile: %s is %v, want more than 0", d.field, d.value)
		}
	}
	if p.SuspicionMult < 1 {
		return refuse("profile: suspicion multiplier is %d, want at least 1", p.SuspicionMult)
	}
	if p.ProbeTimeout > p.ProbeInterval {
		return refuse("profile: probe timeout %v is longer than the probe interval %v", p.ProbeTimeout, p.ProbeInterval)
	}
	return nil
}
