package experiment

import (
	"fmt"

	"github.com/candor-plane/candor/bench/system"
)

// Conditions says how both sides are driven, for the report.
func Conditions() []string {
	return []string{
		fmt.Sprintf("%d-byte JSON specs that do not compress; closed loops; one connection to %d clients; writes and strong reads go to the leader", system.SpecBytes, clientsPerConnection),
		fmt.Sprintf("watch: one writer at most %d writes ahead of the slowest watcher, latency from sending the write to delivery, watchers spread over the members", writesAhead),
		"tls: every member and client proves itself by a P-256 certificate over TLS 1.3, members to one another too, and a role allows the load's client its requests; the same on plain TCP without access control is measured in the same rounds",
		fmt.Sprintf("failover: %d writers that know every member, %v to an attempt; equal settings are election %v, heartbeat %v", gapWriters, attempt, equalElection, equalHeartbeat),
		"placement, drain: instances of 250m and 1Gi on simulated nodes of 16 cores and 64Gi, which one process plays beside the members and whose time is apart; times are those at which a watch of one client had the versions",
		"cpu is of members and load generator together, per acknowledged write; memory and disk are the mean over the members",
	}
}
