package cli

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

func (o *DiagnosticsOptions) node(d nodeDocument) error {
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
	if w := n.Witness; w != nil {
		facts.Add("Mode", strings.TrimSpace(string(w.Mode)+" "+w.DegradedReason))
		facts.Add("Catch-up", strings.TrimSpace(string(w.CatchUp)+" "+string(w.CatchUpAction)))
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

// compareDigests says whether the servers that tell have the same state where
// they can be compared: at the highest index that all of them know, and
// nowhere differently.
func compareDigests(nodes []nodeDocument) string {
	byIndex := map[uint64]map[string][]string{}
	told := 0
	for _, node := range nodes {
		if len(node.digests) > 0 {
			told++
		}
		for _, d := range node.digests {
			if byIndex[d.Index] == nil {
				byIndex[d.Index] = map[string][]string{}
			}
			digest := hex.EncodeToString(d.Digest)
			byIndex[d.Index][digest] = append(byIndex[d.Index][digest], node.name())
		}
	}
	if told < 2 {
		return "Digests: nothing to compare; fewer than two servers tell theirs."
	}
	shared := uint64(0)
	for _, index := range slices.Sorted(maps.Keys(byIndex)) {
		if len(byIndex[index]) > 1 {
			return differing(index, byIndex[index])
		}
		for _, names := range byIndex[index] {
			if len(names) == told {
				shared = index
			}
		}
	}
	if shared == 0 {
		return fmt.Sprintf("Digests: %d servers tell theirs, and no index is known to all of them; ask again.", told)
	}
	return fmt.Sprintf("Digests: %d servers have the same state at index %d.", told, shared)
}

func differing(index uint64, digests map[string][]string) string {
	var groups []string
	for digest, names := range digests {
		groups = append(groups, strings.Join(names, ", ")+": "+digest)
	}
	slices.Sort(groups)
	return output.Clean(fmt.Sprintf("Digests: the states DIFFER at index %d: %s.", index, strings.Join(groups, "; ")))
}
