package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// DiagnosticsOptions are those of `candor diagnostics`.
type DiagnosticsOptions struct {
	*Factory
	Server string
	Every  bool
}

// NewCmdDiagnostics returns `candor diagnostics`.
func NewCmdDiagnostics(f *Factory, run func(context.Context, *DiagnosticsOptions) error) *cobra.Command {
	o := &DiagnosticsOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "diagnostics [SERVER | --all]", Short: "Look inside servers; works without a quorum",
		Long: `Look inside a server: its log, disk, queue, state and what it admitted and
refused. A server answers for itself alone, with or without a quorum. SERVER is
a member's name or ID, or HOST:PORT; without one, the first known server.

--all looks into every member, and compares the digests of their states.`,
		Example:           "candor diagnostics n2\ncandor diagnostics --all\ncandor diagnostics 127.0.0.1:7103 -o json",
		Args:              arguments(0, 1, "at most one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Server = args[0]
			}
			return runs(run, runDiagnostics)(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Every, "all", false, "every member")
	return remotely(cmd, flagOutput)
}

type nodeDocument struct {
	Address string               `json:"address"`
	Report  *client.NodeReport   `json:"report,omitempty"`
	Records []client.TurnRecord  `json:"records,omitempty"`
	Error   string               `json:"error,omitempty"`
	digests []client.IndexDigest // of --all
}

func (d nodeDocument) name() string {
	if d.Report != nil && d.Report.NodeName != "" {
		return d.Report.NodeName
	}
	return d.Address
}

func runDiagnostics(ctx context.Context, o *DiagnosticsOptions) error {
	if o.Every && o.Server != "" {
		return usage("--all and a server exclude each other")
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	addresses, err := o.addresses(ctx, remote)
	if err != nil {
		return err
	}
	failures := outcomes{f: o.Factory}
	var nodes []nodeDocument
	for _, address := range addresses {
		node, err := o.look(ctx, remote.Node(address), address)
		if err != nil && !o.Every {
			return try(err, "candor status", "candor diagnostics --all")
		}
		if err != nil {
			failures.refuse("diagnostics of "+address, try(err, "look at the server's own log, or start it"))
			node.Error = err.Error()
		}
		nodes = append(nodes, node)
	}
	if err := o.show(format, nodes); err != nil {
		return internal("diagnostics", err)
	}
	return failures.end()
}

func (o *DiagnosticsOptions) addresses(ctx context.Context, remote *Remote) ([]string, error) {
	switch {
	case o.Server != "":
		address, err := o.address(ctx, remote, o.Server)
		return []string{address}, err
	case !o.Every:
		return remote.Servers[:1], nil
	}
	members, err := remote.Cluster.Members(ctx, client.WithoutSession())
	if err != nil {
		o.Narrate("the members are not known (%v); looking at the servers of the command line or context", err)
		return remote.Servers, nil
	}
	var addresses []string
	for _, member := range members.Members {
		if member.APIAddress == "" {
			o.Narrate("the API address of %s is not known", output.Clean(member.Name))
			continue
		}
		addresses = append(addresses, member.APIAddress)
	}
	return addresses, nil
}

func (o *DiagnosticsOptions) look(ctx context.Context, node NodeReader, address string) (nodeDocument, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Flags.timeout(serverPatience))
	defer cancel()
	found := nodeDocument{Address: address}
	var err error
	if found.Report, err = node.Node(ctx); err != nil {
		return nodeDocument{Address: address}, err
	}
	if found.Records, err = node.Records(ctx); err != nil {
		o.Narrate("%s does not tell its records: %v", address, err)
	}
	if o.Every {
		if found.digests, err = node.Digests(ctx, 0); err != nil {
			o.Narrate("%s does not tell its digests: %v", address, err)
		}
	}
	return found, nil
}

type nodesDocument struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Items      []nodeDocument `json:"items"`
}

func (o *DiagnosticsOptions) show(format output.Format, nodes []nodeDocument) error {
	switch {
	case format.Structured() && o.Every:
		return format.Document(o.Out, nodesDocument{APIVersion: candor.APIVersion, Kind: "NodeList", Items: nodes})
	case format.Structured():
		return format.Document(o.Out, nodes[0])
	}
	shown := 0
	for _, node := range nodes {
		if node.Report == nil {
			continue
		}
		if shown++; shown > 1 {
			if _, err := io.WriteString(o.Out, "\n"); err != nil {
				return err
			}
		}
		if err := o.node(node); err != nil {
			return err
		}
	}
	if !o.Every {
		return nil
	}
	gap := "\n"
	if shown == 0 {
		gap = ""
	}
	_, err := fmt.Fprintf(o.Out, "%s%s\n", gap, compareDigests(nodes))
	return err
}

func (o *DiagnosticsOptions) node(d nodeDocument) error {
	n := d.Report
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Server", n.NodeName+" ("+n.NodeID+")")
	facts.Add("Version", n.Version)
	if !n.StartedAt.IsZero() {
		facts.Add("Started", output.Age(o.Now(), n.StartedAt)+" ago, boot "+n.BootID)
	}
	facts.Add("Role", n.Role+", term "+fmt.Sprint(n.Term))
	if n.Leader != nil {
		facts.Add("Leader by hint", strings.TrimSpace(n.Leader.Name+" "+n.Leader.Address))
	}
	facts.Add("Applied", n.Applied.String())
	facts.Add("Log", fmt.Sprintf("%d to %d, committed %d, snapshot at %d", n.FirstLogIndex, n.LastLogIndex, n.CommitIndex, n.SnapshotIndex))
	facts.Add("Restart state", strings.TrimSpace(string(n.RestartState)+" "+n.RestartReason))
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
		text += fmt.Sprintf("; DISK_PRESSURE: under the watermark of %s", output.Bytes(disk.WatermarkBytes))
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
