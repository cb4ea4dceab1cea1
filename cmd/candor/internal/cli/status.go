package cli

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
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

Exit code 0: a leader is confirmed. 5: none is. 1: it is not known, because you
may not list namespaces.`,
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
	// unknown: whoever asks may not make the read that would confirm one.
	unknown health = "UNKNOWN"
)

type clusterDocument struct {
	Health health `json:"health"`
	// Confirmed is the witness of a strong read; absent when there was none.
	Confirmed *candor.Witness `json:"confirmed,omitempty"`
	Refused   string          `json:"refused,omitempty"`
	// denied is the reason where the read was refused for who asked.
	denied  candor.Reason
	Servers []serverDocument `json:"servers"`
	// Duties are who holds which, by the word of one server; absent where none said.
	Duties *client.Tenures `json:"duties,omitempty"`
	// unheld says why they are absent.
	unheld candor.Reason
	// Pending are the transitions that have not ended, by the same word; unseen says why
	// they are absent.
	Pending  *client.TransitionList `json:"pending,omitempty"`
	unseen   candor.Reason
	Findings []client.Finding `json:"findings"`
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
	d.hold(ctx, remote)
	d.judge()
	if format.Structured() {
		err = format.Document(o.Out, d)
	} else {
		err = o.show(d)
	}
	if err != nil {
		return internal("status", err)
	}
	if d.denied != "" {
		return &ended{exit: candor.ExitError}
	}
	if d.Confirmed == nil {
		return &ended{exit: candor.ExitUnavailable}
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
		if reason := candor.ReasonOf(err); reason == candor.ReasonUnauthenticated || reason == candor.ReasonForbidden {
			d.denied = reason
		}
		return
	}
	d.Confirmed = &page.Witness
}

// hold asks who holds the duties, and what is under way: who was confirmed to lead, or
// anybody.
func (d *clusterDocument) hold(ctx context.Context, remote *Remote) {
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	options := []client.ReadOption{client.WithoutSession()}
	for i := range d.Servers {
		s := &d.Servers[i]
		if s.Status != nil && d.Confirmed != nil && s.Status.NodeName == leaderName(*d.Confirmed) {
			options = append(options, client.OnEndpoint(s.Address))
			break
		}
	}
	var err error
	if d.Duties, err = remote.Tenures.Tenures(ctx, options...); err != nil {
		d.Duties, d.unheld = nil, candor.ReasonOf(err)
	}
	if d.Pending, err = remote.Transitions.List(ctx, true, options...); err != nil {
		d.Pending, d.unseen = nil, candor.ReasonOf(err)
	}
}

// judge gathers the findings of all servers, once each, and finds the word.
func (d *clusterDocument) judge() {
	d.Findings = []client.Finding{}
	switch {
	case d.denied != "":
		d.find(client.Finding{
			Severity: "warning", Subject: "access", Reason: string(d.denied),
			Message: "whether somebody leads is not known, for want of a right: " + d.Refused, NextAction: "candor auth can-i list namespaces",
		})
	case d.Confirmed == nil:
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
	case d.denied != "":
		d.Health = unknown
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
