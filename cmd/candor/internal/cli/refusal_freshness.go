package cli

import (
	"strings"

	"github.com/candor-plane/candor"
)

// fresher is what helps a read whose freshness was not met.
func (f *Factory) fresher(e *candor.Error) []string {
	server := refusedBy(e)
	var steps []string
	look := func(command, why string) {
		if server != "" {
			steps = append(steps, command+" "+server+"      "+why)
		}
	}
	switch e.Reason {
	case candor.ReasonLeadershipUnconfirmed, candor.ReasonNotLeader:
		steps = append(steps, "candor diagnostics --all      which servers can be reached, and whom they follow")
	case candor.ReasonBootstrapRequired, candor.ReasonRecovering, candor.ReasonRootTokenNotReached:
		look("candor watch-catchup", "how it catches up")
	case candor.ReasonViewOnly:
		look("candor diagnostics", "why it must not be relied on, and what ends that")
	default:
		look("candor freshness", "what each class of reads gets there, and why")
	}
	if !f.reads {
		return append(steps, "candor status")
	}
	class, _, _ := strings.Cut(f.Flags.Read, ":")
	switch {
	case e.Reason == candor.ReasonNotLeader && e.Leader != nil:
		steps = append(steps, "the same command with --read=strong:follower, which asks the leader through this server")
	case e.Reason == candor.ReasonRootTokenNotReached:
		steps = append(steps, "the same command with a longer --timeout: it waits for the token")
	case e.Reason == candor.ReasonStalenessExceeded && class == "bounded":
		steps = append(steps, "the same command with a wider bound, such as --read=bounded:age=5s")
	case e.Reason == candor.ReasonRootLagExceeded:
		steps = append(steps, "the same command with a wider bound, such as --read=bounded:lag=1000")
	}
	steps = append(steps, "candor status")
	if class != "best-effort" {
		steps = append(steps, "the same command with --read=best-effort, which may answer with an old state and says so")
	}
	return steps
}

// refusedRead says whether a read was refused, and not a write.
func refusedRead(e *candor.Error) bool { return e.Witness != nil && e.Witness.Requested != "" }

// refusedBy is the server that a refusal came from; empty where it does not say.
func refusedBy(e *candor.Error) string {
	if e.Witness == nil {
		return ""
	}
	return e.Witness.NodeName
}
