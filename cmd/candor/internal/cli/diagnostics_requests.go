package cli

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

func reads(counts []client.ReadCount) string {
	var lines []string
	for _, c := range counts {
		if c.Count > 0 {
			lines = append(lines, fmt.Sprintf("%s %s %s", c.Freshness, c.Mechanism, output.Count(c.Count)))
		}
	}
	return strings.Join(lines, "\n")
}

// lastAdmissions lists the newest requests that were judged.
func (o *DiagnosticsOptions) lastAdmissions(list []client.AdmissionRecord, all bool) string {
	var lines []string
	for _, r := range list {
		line := fmt.Sprintf("%s %s by %s", r.Method, r.Reason, r.Actor)
		if !r.At.IsZero() {
			line = output.Age(o.Now(), r.At) + " ago: " + line
		}
		lines = append(lines, line)
	}
	return newestOf(lines, all)
}

// lastOutcomes lists the requests whose outcome the server learnt last.
func lastOutcomes(list []client.OutcomeRecord, all bool) string {
	var lines []string
	for _, r := range list {
		line := string(r.Outcome)
		if r.Reason != "" {
			line += " " + string(r.Reason)
		}
		if !r.Token.IsZero() {
			line += " at " + r.Token.String()
		}
		lines = append(lines, fmt.Sprintf("%s: %s by %s", r.RequestID, line, r.Actor))
	}
	return newestOf(lines, all)
}

func newestOf(lines []string, all bool) string {
	if hidden := len(lines) - recordsShown; hidden > 0 && !all {
		lines = append(lines[:recordsShown:recordsShown], fmt.Sprintf("and %d more: -o wide shows them", hidden))
	}
	return strings.Join(lines, "\n")
}
