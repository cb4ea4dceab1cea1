package replica

import "github.com/hashicorp/raft"

// keepPace tells raft what its heartbeat is: for a follower, how long it waits for its
// leader; for a leader, ten times the shortest and five times the longest pause between
// two messages to a follower. A leader sends two and a half to five times in its lease.
// Followers wait at least as long, and more would only wake servers.
func (r *Replica) keepPace(leads bool) {
	heartbeat, election := r.settings.Heartbeat, r.settings.Election
	if leads {
		heartbeat = leaderPace * r.settings.LeaderLease
		election = max(election, heartbeat) // which raft wants, and a leader has no use for
	}
	err := r.tune(func(c *raft.ReloadableConfig) { c.HeartbeatTimeout, c.ElectionTimeout = heartbeat, election })
	if err != nil {
		r.logger.Error("raft's pace not set", "leads", leads, "error", err)
	}
}

// leaderPace is a leader's heartbeat in leases.
const leaderPace = 2

// tune changes what raft may be told while it runs.
func (r *Replica) tune(change func(*raft.ReloadableConfig)) error {
	r.tuning.Lock()
	defer r.tuning.Unlock()
	config := r.raft.ReloadableConfig()
	change(&config)
	return r.raft.ReloadConfig(config)
}
