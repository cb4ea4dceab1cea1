package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/server"
)

// NewCmdClusterRecover returns `candor cluster recover` and its commands.
func NewCmdClusterRecover(f *Factory) *cobra.Command {
	return newGroup("recover", "Go on with one server after a majority is lost for good",
		NewCmdClusterRecoverPlan(f, nil), NewCmdClusterRecoverApply(f, nil))
}

// offlineLogger tells on stderr what goes wrong with files.
func (f *Factory) offlineLogger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Name: "candor", Level: hclog.Warn, Output: f.Err})
}

// showRecovery tells people what a plan found and what it would do.
func (f *Factory) showRecovery(p *server.RecoveryPlan) error {
	chosen := p.Chosen()
	var absent []string
	for _, m := range p.Members {
		if !m.Here && m.Voter {
			absent = append(absent, fmt.Sprintf("%s (%s)", orID(m), m.Raft))
		}
	}
	if _, err := fmt.Fprintf(f.Out, "cluster  %s, history %s\nvoters   %d of %d are here, %d are a majority; not here: %s\n\n",
		p.ClusterID, p.HistoryID, p.Here, p.Voters, p.Quorum, listed(absent)); err != nil {
		return internal("cluster recover", err)
	}
	table := output.NewTable(f.Out, f.OutPalette(), "SERVER", "LOG ENDS", "TERM", "COMMITTED", "SNAPSHOT", "CONFIGURATION", "LAST WRITE", "STOP", "DIRECTORY")
	for i := range p.Survivors {
		s := &p.Survivors[i]
		stop := "crash"
		if s.CleanStop {
			stop = "clean"
		}
		wrote := ""
		if !s.LastWrite.IsZero() {
			wrote = s.LastWrite.Format(time.RFC3339)
		}
		table.Row(s.Name, fmt.Sprintf("%d:%d", s.LastTerm, s.LastIndex), count(s.Term), "at least "+count(s.Committed), count(s.SnapshotIndex), count(s.ConfigurationIndex), wrote, stop, s.Data)
	}
	if err := table.Flush(); err != nil {
		return internal("cluster recover", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s goes on alone, %s.\n", chosen.Name, why(p))
	if chosen.Committed > 0 {
		fmt.Fprintf(&b, "  kept       %s: committed for certain\n", server.IndexRange{From: 1, To: chosen.Committed})
	}
	if p.Adopted != nil {
		fmt.Fprintf(&b, "  adopted    %s: here, and perhaps never committed; they become true\n", p.Adopted)
	}
	if p.Complete {
		fmt.Fprintf(&b, "  lost       nothing that was acknowledged: every majority of the %d voters has a server among those read,\n             as far as the configuration of index %d was the last\n", p.Voters, chosen.ConfigurationIndex)
	} else {
		fmt.Fprintf(&b, "  lost       what was acknowledged after entry %d: whether anything was cannot be told from here\n", chosen.LastIndex)
	}
	for i := range p.Survivors {
		if s := &p.Survivors[i]; s.Discarded != nil {
			fmt.Fprintf(&b, "  discarded  %s of %s: %s has others there, or none\n", s.Discarded, s.Name, chosen.Name)
		}
	}
	fmt.Fprintf(&b, "  ends       history %s: its sessions, tokens and servers are refused from then on\n", p.HistoryID)
	fmt.Fprintf(&b, "  begins     history %s, with %s objects of revision %d, contents %s\n", p.NewHistoryID, count(p.Objects), p.Revision, p.Contents)
	if chosen.Quarantined {
		fmt.Fprintf(&b, "\nWARNING: %s was quarantined: a majority held another state than it does. No other server is here.\n", chosen.Name)
	}
	_, err := fmt.Fprint(f.Out, b.String())
	return internal("cluster recover", err)
}

func why(p *server.RecoveryPlan) string {
	if len(p.Survivors) == 1 {
		return "the only one that was read"
	}
	return "whose log goes furthest"
}

func orID(m server.RecoveryMember) string {
	if m.Name != "" {
		return m.Name
	}
	return m.ServerID
}

func listed(items []string) string {
	if len(items) == 0 {
		return "none"
	}
	return strings.Join(items, ", ")
}

// recoverySteps are the commands that follow a plan, or, once it is applied, its last.
func recoverySteps(p *server.RecoveryPlan, path string, applied bool) []string {
	chosen := p.Chosen()
	api := p.API
	if api == "" {
		api = "API-ADDRESS-OF-" + chosen.Name
	}
	var steps []string
	if !applied {
		steps = append(steps,
			"see to it that no server that is not here starts on its old data again",
			fmt.Sprintf("candor cluster recover apply --plan %s --accept-loss %s", path, p.ClusterID))
	}
	steps = append(steps, fmt.Sprintf("candor server --name %s --data %s --raft %s   with its other flags as before", chosen.Name, chosen.Data, p.Raft))
	for _, m := range p.Members {
		if m.ServerID == chosen.ServerID {
			continue
		}
		steps = append(steps,
			fmt.Sprintf("candor server --name %s --data EMPTY-FOLDER --join %s   with its own addresses, without --initial-cluster", orID(m), api),
			fmt.Sprintf("candor cluster promote %s", orID(m)))
	}
	return steps
}

func (f *Factory) narrateSteps(steps []string) {
	f.Narrate("\nnext:")
	for i, step := range steps {
		f.Narrate("  %d. %s", i+1, step)
	}
}
