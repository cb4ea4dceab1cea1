package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// StatusOptions are those of `candor status`.
type StatusOptions struct{ *Factory }

// NewCmdStatus returns `candor status`.
func NewCmdStatus(f *Factory, run func(context.Context, *StatusOptions) error) *cobra.Command {
	o := &StatusOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "status", Short: "How is the cluster? Health, findings and what to do",
		Long: `How is the cluster? Asks every server for its word, and proves with a strong
read that a majority follows the leader. Findings say what is wrong and what to
do next.

Exit code 0: a leader is confirmed. 5: none is.`,
		Example:           "candor status\ncandor status -o json",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runStatus)(cmd.Context(), o) },
	}
	return remotely(cmd, flagOutput)
}

// health is the word of the whole cluster.
type health string

const (
	healthy health = "HEALTHY"
	// degraded: a leader is confirmed, and something needs looking after.
	degraded health = "DEGRADED"
	// unavailable: no leader could be confirmed.
	unavailable health = "UNAVAILABLE"
)

type clusterDocument struct {
	Health health `json:"health"`
	// Confirmed is the witness of a strong read; absent when there was none.
	Confirmed *candor.Witness  `json:"confirmed,omitempty"`
	Refused   string           `json:"refused,omitempty"`
	Servers   []serverDocument `json:"servers"`
	Findings  []client.Finding `json:"findings"`
}

type serverDocument struct {
	Address string                `json:"address"`
	Member  *client.Member        `json:"member,omitempty"`
	Status  *client.ClusterStatus `json:"status,omitempty"`
	Error   string                `json:"error,omitempty"`
}

// name is the server's, or its address where the name is not known.
func (s serverDocument) name() string {
	switch {
	case s.Status != nil && s.Status.NodeName != "":
		return s.Status.NodeName
	case s.Member != nil && s.Member.Name != "":
		return s.Member.Name
	}
	return s.Address
}

// serverPatience is how long one server may take to say how it is.
const serverPatience = 3 * time.Second

func runStatus(ctx context.Context, o *StatusOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Flags.timeout(requestTimeout))
	defer cancel()
	d := clusterDocument{Servers: o.servers(ctx, remote)}
	d.confirm(ctx, remote.Reader)
	d.judge()
	if format.Structured() {
		err = format.Document(o.Out, d)
	} else {
		err = o.show(d)
	}
	if err != nil {
		return internal("status", err)
	}
	if d.Confirmed == nil {
		return &ended{reason: candor.ReasonUnavailable}
	}
	o.Foot(*d.Confirmed)
	return nil
}

// servers asks every server that is known, all at once, and waits for each.
func (o *StatusOptions) servers(ctx context.Context, remote *Remote) []serverDocument {
	var servers []serverDocument
	members, err := remote.Cluster.Members(ctx, client.WithoutSession())
	if err == nil {
		for _, member := range members.Members {
			servers = append(servers, serverDocument{Address: member.APIAddress, Member: &member})
		}
	}
	for _, address := range remote.Servers {
		if err != nil || len(servers) == 0 {
			servers = append(servers, serverDocument{Address: address})
		}
	}
	var asked sync.WaitGroup
	for i := range servers {
		asked.Go(func() { servers[i].ask(ctx, remote.Cluster) })
	}
	asked.Wait()
	slices.SortFunc(servers, func(a, b serverDocument) int { return strings.Compare(a.name(), b.name()) })
	return servers
}

func (s *serverDocument) ask(ctx context.Context, cluster ClusterReader) {
	if s.Address == "" {
		s.Error = "its API address is not known"
		return
	}
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	status, err := cluster.Status(ctx, client.OnEndpoint(s.Address), client.WithoutSession())
	if err != nil {
		s.Error = err.Error()
		return
	}
	s.Status = status
}

// confirm proves that somebody leads: a strong read of next to nothing.
func (d *clusterDocument) confirm(ctx context.Context, reader Reader) {
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	page, err := reader.List(ctx, candor.KindNamespaces, client.ListOptions{Limit: 1}, client.WithFreshness(candor.FreshnessStrong))
	if err != nil {
		d.Refused = err.Error()
		return
	}
	d.Confirmed = &page.Witness
}

// judge gathers the findings of all servers, once each, and finds the word.
func (d *clusterDocument) judge() {
	d.Findings = []client.Finding{}
	if d.Confirmed == nil {
		d.find(client.Finding{
			Severity: "critical", Subject: "cluster", Reason: string(candor.ReasonLeadershipUnconfirmed),
			Message: "a strong read was refused: " + d.Refused, NextAction: "candor diagnostics --all",
		})
	}
	for _, server := range d.Servers {
		if server.Status == nil {
			d.find(client.Finding{
				Severity: "warning", Subject: server.name(), Reason: string(candor.ReasonUnavailable),
				Message: "it does not answer: " + server.Error, NextAction: "look at the server's own log, or start it",
			})
			continue
		}
		for _, finding := range server.Status.Findings {
			d.find(finding)
		}
	}
	rank := map[string]int{"critical": 0, "warning": 1}
	slices.SortStableFunc(d.Findings, func(a, b client.Finding) int {
		return severityOf(rank, a.Severity) - severityOf(rank, b.Severity)
	})
	switch {
	case d.Confirmed == nil:
		d.Health = unavailable
	case len(d.Findings) > 0:
		d.Health = degraded
	default:
		d.Health = healthy
	}
}

func severityOf(rank map[string]int, severity string) int {
	if at, ok := rank[strings.ToLower(severity)]; ok {
		return at
	}
	return len(rank)
}

func (d *clusterDocument) find(finding client.Finding) {
	if !slices.ContainsFunc(d.Findings, func(known client.Finding) bool {
		return known.Subject == finding.Subject && known.Reason == finding.Reason
	}) {
		d.Findings = append(d.Findings, finding)
	}
}

func (o *StatusOptions) show(d clusterDocument) error {
	palette := o.OutPalette()
	answered := 0
	for _, server := range d.Servers {
		if server.Status != nil {
			answered++
		}
	}
	confirmed := "no leader is confirmed"
	if d.Confirmed != nil {
		confirmed = "leader " + leaderName(*d.Confirmed) + " is confirmed"
	}
	if _, err := fmt.Fprintf(o.Out, "%s: %s, %d of %d servers answer\n\n", palette.States(string(d.Health)), output.Clean(confirmed), answered, len(d.Servers)); err != nil {
		return err
	}
	if err := o.facts(d); err != nil {
		return err
	}
	table := output.NewTable(o.Out, palette, "SERVER", "ROLE", "VOTER", "APPLIED", "MODE", "RESTART", "ADDRESS", "VERSION").States()
	for _, server := range d.Servers {
		table.Row(server.cells()...)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(d.Findings) == 0 {
		_, err := io.WriteString(o.Out, "\nNo findings.\n")
		return err
	}
	return findings(o.Factory, d.Findings)
}

func leaderName(w candor.Witness) string {
	switch {
	case w.ServedByLeader && w.NodeName != "":
		return w.NodeName
	case w.ServedByLeader:
		return w.NodeID
	case w.Leader != nil && w.Leader.Name != "":
		return w.Leader.Name
	}
	return "(unnamed)"
}

// facts are those of the cluster, from the server that has applied most.
func (o *StatusOptions) facts(d clusterDocument) error {
	var newest *client.ClusterStatus
	for _, server := range d.Servers {
		if server.Status != nil && (newest == nil || server.Status.Applied.Index > newest.Applied.Index) {
			newest = server.Status
		}
	}
	if newest == nil {
		return nil
	}
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Cluster", newest.ClusterID)
	facts.Add("Objects", output.Count(newest.Objects))
	facts.Add("State", stateSize(newest.StateBytes, newest.QuotaBytes))
	facts.Add("Revision", revisionText(newest.Applied.Revision))
	facts.Add("Floor", revisionText(newest.Floor))
	facts.Add("Feature level", fmt.Sprint(newest.FeatureLevel))
	if newest.Insecure {
		facts.Add("Security", "none: servers were started without TLS")
	}
	if err := facts.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(o.Out, "\n")
	return err
}

func stateSize(bytes, quota uint64) string {
	if quota == 0 {
		return output.Bytes(bytes)
	}
	return output.Bytes(bytes) + " of " + output.Bytes(quota)
}

func (s serverDocument) cells() []string {
	voter := ""
	if s.Member != nil {
		voter = yesNo(s.Member.Voter)
	}
	if s.Status == nil {
		return []string{s.name(), "UNREACHABLE", voter, "", "", "", s.Address, ""}
	}
	mode := ""
	if s.Status.Witness != nil {
		mode = string(s.Status.Witness.Mode)
	}
	return []string{
		s.name(), s.Status.Role, voter, output.Position(s.Status.Applied), mode,
		string(s.Status.RestartState), s.Address, s.Status.Version,
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// findings lists what is wrong, each with its next step.
func findings(f *Factory, list []client.Finding) error {
	palette := f.OutPalette()
	var text strings.Builder
	fmt.Fprintf(&text, "\n%s\n", palette.Heading("Findings:"))
	for _, finding := range list {
		fmt.Fprintf(&text, "  %s %s %s: %s\n", palette.States(output.Clean(strings.ToUpper(finding.Severity))), output.Clean(finding.Subject),
			output.Clean(finding.Reason), output.Clean(finding.Message))
		if finding.NextAction != "" {
			fmt.Fprintf(&text, "    next: %s\n", output.Clean(finding.NextAction))
		}
	}
	_, err := io.WriteString(f.Out, text.String())
	return err
}
