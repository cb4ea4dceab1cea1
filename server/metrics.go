package server

import (
	"time"

	"github.com/candor-plane/candor/server/diag"
)

// Collect reports what the server counts.
func (p *probe) Collect(emit func(diag.Metric)) {
	s := p.s
	status, view := s.replica.Status(), s.machine.View()
	stats := view.Stats()
	gauge := func(name, help string, value float64, labels ...string) {
		emit(diag.Metric{Name: name, Help: help, Value: value, Labels: labels})
	}
	counter := func(name, help string, value float64, labels ...string) {
		emit(diag.Metric{Name: name, Help: help, Value: value, Counter: true, Labels: labels})
	}
	gauge("info", "What this server is; the value is 1.", 1, "name", s.config.Name, "id", s.serverID, "cluster", s.clusterID, "version", s.config.Version)
	gauge("leading", "1 while this server leads and this term's start is applied.", truth(status.Leading))
	gauge("leader_known", "1 while a leader is known.", truth(status.Leader != nil))
	gauge("term", "The Raft term.", float64(status.Term))
	gauge("commit_index", "The newest log index known to be committed.", float64(status.Commit))
	gauge("applied_index", "The log index that the view has applied.", float64(view.Token().Index))
	gauge("revision", "The revision of the view.", float64(view.Token().Revision))
	gauge("floor", "The oldest revision that can be read.", float64(view.Floor()))
	gauge("feature_level", "The replicated feature level.", float64(view.Level()))
	gauge("cluster_time_seconds", "Cluster time of the view.", float64(view.ClusterTime())/float64(time.Second))
	gauge("objects", "Live objects.", float64(stats.Objects))
	gauge("versions", "Retained versions.", float64(stats.Versions))
	gauge("state_bytes", "Size of the state in memory.", float64(stats.Bytes))
	gauge("requests_remembered", "Outcomes kept for repeated requests.", float64(stats.Requests))
	gauge("cascades_pending", "Deletions whose dependents are not done.", float64(stats.Cascades))
	counter("turn_faults_total", "Turns that failed on every server.", float64(stats.Faults))
	counter("invariant_violations_total", "Turns that an invariant blocked.", float64(stats.Violations))
	gauge("queue_commands", "Commands that wait for the log.", float64(status.QueueCommands))
	gauge("queue_bytes", "Bytes that wait for the log.", float64(status.QueueBytes))
	gauge("log_first_index", "The first index of the log.", float64(status.FirstIndex))
	gauge("log_last_index", "The last index of the log.", float64(status.LastIndex))
	gauge("snapshot_index", "The index of the newest snapshot.", float64(status.SnapshotIndex))
	gauge("log_write_in_flight_seconds", "How long the oldest log write has been waiting.", status.OldestWriteInFlight.Seconds())
	gauge("disk_free_bytes", "Free space of the data disk.", float64(status.DiskFree))
	gauge("disk_pressure", "1 while writes are refused for lack of space.", truth(status.DiskPressure))
	if age, known := s.writes.age(); known {
		gauge("write_path_proof_age_seconds", "How old the newest proof of a quorum on the way of a write is.", age.Seconds())
	}
	gauge("recovered", "1 once what the log held at the start has been applied.", truth(s.replica.Recovered()))
	const loadHelp = "How busy a Raft thread was lately, from 0 to 1: main with writing the log and the vote, apply with entries."
	gauge("raft_load", loadHelp, status.Load.Main, "thread", "main")
	gauge("raft_load", loadHelp, status.Load.Apply, "thread", "apply")
	counter("confirm_rounds_total", "Rounds of leadership confirmation.", float64(status.ConfirmRounds))
	gauge("members", "Servers of the configuration.", float64(len(status.Configuration.Servers)))
	gauge("insecure", "1 when --insecure waived certificates and access control beyond loopback.", truth(s.config.Insecure))
	condition := s.reader.Status()
	conditionMetrics(&condition, emit)
	trusted := s.trust.Status()
	gauge("quarantined", "1 while the server does not trust its own state.", truth(trusted.Quarantine != nil))
	gauge("verified_index", "The newest index at which a majority's digest was this server's; 0 for none.", float64(trusted.Verified))
	gauge("digest_alarm", "1 while digests differ and no majority agrees, as seen by the leader.", truth(s.replica.AuditStatus().Alarm != ""))
	s.config.Tracing.collect(counter)
	s.limits.collect(gauge, counter)
	s.securityMetrics(gauge, counter)
	s.tenureMetrics(gauge, counter)
	s.transitionMetrics(emit)
	s.findingMetrics(gauge, counter)
	for _, a := range status.Admissions {
		counter("admissions_total", "Requests by class and by what became of their admission.", float64(a.Count), "class", string(a.Class), "reason", string(a.Reason))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// securityMetrics tell how identity, audit and gossip's encryption stand.
func (s *Server) securityMetrics(gauge, counter func(name, help string, value float64, labels ...string)) {
	gauge("access_epoch", "How often access control was opened; 0: it is off.", float64(s.machine.View().AccessEpoch()))
	counter("handshakes_refused_total", "TLS handshakes that proved nothing.", float64(s.handshakesRefused.Load()))
	if s.own != nil {
		gauge("certificate_expires_seconds", "When this server's certificate ends, in Unix time.", float64(s.own.Material().NotAfter.Unix()))
	}
	if s.audit != nil {
		a := s.audit.Stats()
		counter("audit_written_total", "Lines written to the audit log.", float64(a.Written))
		counter("audit_lost_total", "Records that could not be written.", float64(a.Lost))
		counter("audit_refused_total", "Requests refused because they could not be recorded.", float64(a.Refused))
		counter("audit_waits_total", "Requests that waited for room in the audit log.", float64(a.Waits))
		counter("audit_handshakes_omitted_total", "Refused handshakes that were counted and not recorded.", float64(a.Omitted))
		gauge("audit_failing", "1 from a failed write of the audit log until one succeeds.", truth(a.Failing))
	}
	if s.gossip != nil {
		g := s.gossip.Stats()
		gauge("gossip_keys", "Keys on the gossip key ring; 0: gossip is in the clear.", float64(len(g.Keys)))
		counter("gossip_decrypt_failures_total", "Gossip that no key of the ring opened.", float64(g.DecryptFailures))
	}
}
