package cli

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// conditionOf is a server's word on its catch-up and its mode, each with what
// it does or why.
func conditionOf(n *client.NodeReport) (catchUp, mode string) {
	if f := n.Freshness; f != nil {
		return strings.TrimSpace(string(f.CatchUp) + " " + string(f.Action)), strings.TrimSpace(string(f.Mode) + " " + f.DegradedReason)
	}
	if w := n.Witness; w != nil {
		return strings.TrimSpace(string(w.CatchUp) + " " + string(w.CatchUpAction)), strings.TrimSpace(string(w.Mode) + " " + w.DegradedReason)
	}
	return "", ""
}

// condition adds how far the server knows itself to be behind, and what it makes
// of that. What is not proven is not said.
func (o *DiagnosticsOptions) condition(facts *output.Facts, n *client.NodeReport) {
	catchUp, mode := conditionOf(n)
	facts.Add("Mode", mode)
	facts.Add("Catch-up", catchUp)
	f := n.Freshness
	if f == nil {
		return
	}
	facts.Add("Proof", proofText(f))
	if f.RootLag != nil {
		facts.Add("Root lag", lagText(f.RootLag)+" entries at least")
	}
	if f.LeaderFirstIndex > 0 {
		facts.Add("Leader's log", "begins at "+count(f.LeaderFirstIndex))
	}
	facts.Add("Probes", probesText(f))
	if f.ViewOnlyByOperator {
		facts.Add("View-only", "set by an operator; candor node view-only "+n.NodeName+" --off ends it")
	}
	if q := f.Quarantine; q != nil {
		facts.Add("Quarantine", o.quarantineText(q))
	}
	if f.VerifiedIndex > 0 {
		facts.Add("Verified", "equal to a majority at index "+count(f.VerifiedIndex))
	}
	facts.Add("Alarm", f.Alarm)
	facts.Add("Policy", policyText(f.Policy))
}

func proofText(f *client.FreshnessStatus) string {
	if f.NewestProofAge == nil {
		return "none"
	}
	newest := fmt.Sprintf("of index %d in term %d, %s old", f.NewestProofIndex, f.NewestProofTerm, spanText(f.NewestProofAge))
	switch {
	case f.ProofAge == nil:
		return newest + "; none is applied"
	case *f.ProofAge-*f.NewestProofAge < time.Millisecond:
		// The ages are of moments one after the other.
		return newest + ", applied"
	}
	return newest + "; the newest applied is " + spanText(f.ProofAge) + " old"
}

func probesText(f *client.FreshnessStatus) string {
	if f.Probes == 0 {
		return ""
	}
	text := output.Count(f.Probes) + ", " + output.Count(f.ProbesFailed) + " failed"
	if f.ProbeFailure != "" {
		text += "; the newest: " + f.ProbeFailure
	}
	return text
}

func (o *DiagnosticsOptions) quarantineText(q *client.Quarantine) string {
	text := differsText(q)
	if !q.Since.IsZero() {
		text += ", " + output.Age(o.Now(), q.Since) + " ago"
	}
	text += fmt.Sprintf("\n%d repairs tried", q.RepairsTried)
	if q.LastFailure != "" {
		text += "; the last failed: " + q.LastFailure
	}
	return text
}

func differsText(q *client.Quarantine) string {
	return fmt.Sprintf("digest %s at index %d, where a majority has %s", hex.EncodeToString(q.Digest), q.Index, hex.EncodeToString(q.MajorityDigest))
}

func policyText(p *client.FreshnessPolicy) string {
	if p == nil {
		return ""
	}
	text := fmt.Sprintf("fresh within %s entries and %s; root unavailable after %s; a probe every %s",
		output.Count(p.FreshLag), output.Span(p.FreshAge), output.Span(p.Window), output.Span(p.BeaconInterval))
	if !p.AutomaticRepair {
		return text + "\nautomatic repair is off"
	}
	return text + "\nautomatic repair, at most every " + output.Span(p.RepairInterval)
}

func spanText(d *time.Duration) string {
	if d == nil {
		return ""
	}
	return output.Span(*d)
}

func lagText(lag *uint64) string {
	if lag == nil {
		return ""
	}
	return output.Count(*lag)
}
