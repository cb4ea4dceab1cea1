package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// everyone lists the servers to look into: the members that the known servers
// know, and the known servers themselves. Each known server is asked, because
// parts of a broken cluster know different things.
func (o *DiagnosticsOptions) everyone(ctx context.Context, remote *Remote) []nodeDocument {
	ctx, cancel := context.WithTimeout(ctx, o.Flags.timeout(serverPatience))
	defer cancel()
	answers := make([]*client.Members, len(remote.Servers))
	var asked sync.WaitGroup
	for i, address := range remote.Servers {
		asked.Go(func() {
			// One that does not answer is asked for itself next, and told then.
			answers[i], _ = remote.Cluster.Members(ctx, client.OnEndpoint(address), client.WithoutSession())
		})
	}
	asked.Wait()
	known := map[string]client.Member{}
	for _, answer := range answers {
		if answer == nil {
			continue
		}
		for _, member := range answer.Members {
			if known[member.ServerID].APIAddress == "" {
				known[member.ServerID] = member
			}
		}
	}
	if len(known) == 0 {
		o.Narrate("the members are not known; looking at the servers of the command line or context")
	}
	return targetsOf(known, remote.Servers)
}

func targetsOf(known map[string]client.Member, servers []string) []nodeDocument {
	var nodes []nodeDocument
	for _, member := range known {
		node := nodeDocument{Name: member.Name, Address: member.APIAddress}
		if node.Name == "" {
			node.Name = member.ServerID
		}
		if node.Address == "" {
			unknown := candor.Errorf(candor.ReasonUnavailable, "the API address of %s is not known", node.Name)
			node.failure, node.Error = try(unknown, "candor diagnostics HOST:PORT      where it listens, if you know"), unknown.Error()
		}
		nodes = append(nodes, node)
	}
	for _, address := range servers {
		if !slices.ContainsFunc(nodes, func(n nodeDocument) bool { return n.Address == address }) {
			nodes = append(nodes, nodeDocument{Address: address})
		}
	}
	return nodes
}

// once leaves out what is the same server under another address, and members
// without an address that answered under one.
func once(nodes []nodeDocument) []nodeDocument {
	seen, names := map[string]bool{}, map[string]bool{}
	var kept []nodeDocument
	for _, node := range nodes {
		if node.Report != nil && !seen[node.Report.NodeID] {
			seen[node.Report.NodeID] = true
			names[node.Report.NodeName], names[node.Report.NodeID] = true, true
			kept = append(kept, node)
		}
	}
	for _, node := range nodes {
		if node.Report == nil && (node.Address != "" || !names[node.Name]) {
			kept = append(kept, node)
		}
	}
	return kept
}

type nodesDocument struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Items      []nodeDocument `json:"items"`
	Digests    string         `json:"digests"`
}

// showAll shows every server in a row, then what a row has no room for.
func (o *DiagnosticsOptions) showAll(format output.Format, nodes []nodeDocument) error {
	digests := compareDigests(nodes)
	if format.Structured() {
		return format.Document(o.Out, nodesDocument{APIVersion: candor.APIVersion, Kind: "NodeList", Items: nodes, Digests: digests})
	}
	table := output.NewTable(o.Out, o.OutPalette(), "SERVER", "ROLE", "TERM", "APPLIED", "PROVEN", "LAG", "CATCH-UP", "MODE", "RESTART", "ADDRESS").States()
	for _, node := range nodes {
		table.Row(node.cells()...)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if format.Wide() {
		for _, node := range nodes {
			if node.Report == nil {
				continue
			}
			if _, err := io.WriteString(o.Out, "\n"); err != nil {
				return err
			}
			if err := o.node(node, true); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(o.Out, "\n%s%s\n", remarks(nodes), digests)
	return err
}

func (d nodeDocument) cells() []string {
	n := d.Report
	if n == nil {
		return []string{d.name(), "UNREACHABLE", "", "", "", "", "", "", "", d.Address}
	}
	proven, lag := "", ""
	catchUp, mode := conditionOf(n)
	if f := n.Freshness; f != nil {
		proven, lag = spanText(f.ProofAge), lagText(f.RootLag)
	}
	return []string{
		d.name(), n.Role, count(n.Term), output.Position(n.Applied), proven, lag, catchUp, mode,
		restart(n.RestartState, n.Recovered), d.Address,
	}
}

// remarks are what the rows cannot say: quarantines, alarms, and the turns that
// were blocked, which are of the root and the same on every server.
func remarks(nodes []nodeDocument) string {
	var lines []string
	var longest []client.TurnRecord
	for _, node := range nodes {
		if node.Report == nil {
			continue
		}
		if f := node.Report.Freshness; f != nil && f.Quarantine != nil {
			lines = append(lines, node.name()+": quarantined: "+differsText(f.Quarantine)+"; next: candor node repair "+node.name())
		}
		if f := node.Report.Freshness; f != nil && f.Alarm != "" {
			lines = append(lines, node.name()+": alarm: "+f.Alarm)
		}
		if len(node.Records) > len(longest) {
			longest = node.Records
		}
	}
	if len(longest) > 0 {
		lines = append(lines, "Blocked turns, of the root:")
		lines = append(lines, strings.Split("  "+strings.ReplaceAll(records(longest), "\n", "\n  "), "\n")...)
	}
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(output.Clean(line) + "\n")
	}
	return text.String()
}
