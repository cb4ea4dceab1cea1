package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// recordsShown is how many of the requests that a server remembers are shown
// unless all are asked for.
const recordsShown = 5

func (o *DiagnosticsOptions) node(d nodeDocument, wide bool) error {
	n := d.Report
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Server", n.NodeName+" ("+n.NodeID+")")
	facts.Add("Version", n.Version)
	if !n.StartedAt.IsZero() {
		facts.Add("Started", output.Age(o.Now(), n.StartedAt)+" ago, boot "+n.BootID)
	}
	facts.Add("Role", n.Role+", term "+count(n.Term))
	if n.Leader != nil {
		facts.Add("Leader by hint", strings.TrimSpace(n.Leader.Name+" "+n.Leader.Address))
	}
	facts.Add("Applied", n.Applied.String())
	facts.Add("Log", fmt.Sprintf("%d to %d, committed %d, snapshot at %d", n.FirstLogIndex, n.LastLogIndex, n.CommitIndex, n.SnapshotIndex))
	facts.Add("Restart state", restartWhy(n.RestartState, n.Recovered, n.RestartReason))
	o.condition(facts, n)
	if raft := n.Raft; raft != nil {
		facts.Add("Raft load", fmt.Sprintf("main %.0f %%, apply %.0f %%", 100*raft.Main, 100*raft.Apply))
	}
	if disk := n.Disk; disk != nil {
		facts.Add("Disk", diskText(*disk))
	}
	if queue := n.Queue; queue != nil {
		facts.Add("Queue", fmt.Sprintf("%d of %d commands, %s of %s", queue.QueuedCommands, queue.LimitCommands,
			output.Bytes(queue.QueuedBytes), output.Bytes(queue.LimitBytes)))
	}
	if state := n.State; state != nil {
		facts.Add("State", fmt.Sprintf("%s objects, %s versions, %s, floor %d, feature level %d", output.Count(state.Objects),
			output.Count(state.Versions), stateSize(state.Bytes, state.QuotaBytes), state.Floor, state.FeatureLevel))
		facts.Add("Remembered", fmt.Sprintf("%d requests, %d cascades to go", state.RequestsRemembered, state.CascadesPending))
		facts.Add("Blocked turns", fmt.Sprintf("%d faults, %d violations", state.TurnFaults, state.Violations))
		facts.Add("Digest", state.Digest)
	}
	var addresses []string
	for name, address := range n.Addresses {
		addresses = append(addresses, name+" "+address)
	}
	slices.Sort(addresses)
	facts.Add("Addresses", strings.Join(addresses, "\n"))
	facts.Add("Admissions", admissions(n.Admissions))
	facts.Add("Reads", reads(n.Reads))
	facts.Add("Judged lately", o.lastAdmissions(n.LastAdmissions, wide))
	facts.Add("Ended lately", lastOutcomes(n.LastOutcomes, wide))
	facts.Add("Records", records(d.Records))
	return facts.Flush()
}

func diskText(disk client.DiskStatus) string {
	text := fmt.Sprintf("%s free of %s at %s, %s log", output.Bytes(disk.FreeBytes), output.Bytes(disk.TotalBytes), disk.Path, disk.LogStore)
	if disk.Pressure {
		text += "; DISK_PRESSURE: under the watermark of " + output.Bytes(disk.WatermarkBytes)
	}
	if disk.OldestWriteInFlight > 0 {
		text += "; a log write has been waiting for " + output.Span(disk.OldestWriteInFlight)
	}
	return text
}

func admissions(counts []client.AdmissionCount) string {
	var lines []string
	for _, c := range counts {
		if c.Count > 0 {
			lines = append(lines, fmt.Sprintf("%s %s %s", c.Class, c.Reason, output.Count(c.Count)))
		}
	}
	return strings.Join(lines, "\n")
}

func records(list []client.TurnRecord) string {
	var lines []string
	for _, r := range list {
		what := string(r.Reason)
		if r.Invariant != "" {
			what += " " + r.Invariant
		}
		lines = append(lines, fmt.Sprintf("index %d: %s, %s, by %s: %s", r.Index, what, r.Subject, r.Actor, r.Detail))
	}
	return strings.Join(lines, "\n")
}
