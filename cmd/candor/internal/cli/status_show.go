package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

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
	facts.Add("Feature level", count(uint64(newest.FeatureLevel)))
	if d.Duties != nil {
		facts.Add("Duties", dutiesText(d.Duties))
	} else {
		facts.Add("Duties", "not known: "+string(d.unheld))
	}
	if d.Pending != nil {
		facts.Add("Transitions", underWayText(d.Pending))
	} else {
		facts.Add("Transitions", "not known: "+string(d.unseen))
	}
	facts.Add("Access control", accessText(newest.AccessEpoch))
	if newest.Insecure {
		facts.Add("Security", "none: servers listen beyond loopback, and --insecure waived certificates and access control")
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
		restart(s.Status.RestartState, s.Status.Recovered), s.Address, s.Status.Version,
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
