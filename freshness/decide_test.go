package freshness

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

// cell is one combination of everything that Decide looks at.
type cell struct {
	q Request
	n Node
}

const (
	bound    = time.Second
	at       = 100 // the view's index
	required = 120
	farther  = 140
	probed   = 160
)

var (
	aView = attribute[cell]{"view", []value[cell]{
		{"none", func(c *cell) { c.n.View = false }},
		{"yes", func(c *cell) { c.n.View = true }},
	}}
	aMode = attribute[cell]{"mode", []value[cell]{
		{"VIEW_ONLY", mode_(candor.ModeViewOnly)}, {"ROOT_UNAVAILABLE", mode_(candor.ModeRootUnavailable)},
		{"ROOT_LAGGING", mode_(candor.ModeRootLagging)}, {"COORDINATOR_DEGRADED", mode_(candor.ModeCoordinatorDegraded)},
		{"HEALTHY", mode_(candor.ModeHealthy)},
	}}
	aRole = attribute[cell]{"role", []value[cell]{
		{"follower", func(c *cell) { c.n.Leads = false }},
		{"follower, may ask", func(c *cell) { c.n.Leads, c.q.FollowerReadIndex = false, true }},
		{"leader", func(c *cell) { c.n.Leads = true }},
		{"leader, may ask", func(c *cell) { c.n.Leads, c.q.FollowerReadIndex = true, true }},
	}}
	aReadIndex = attribute[cell]{"read index", []value[cell]{
		{"not yet", func(c *cell) { c.n.ReadIndex = ReadIndex{} }},
		{"failed", func(c *cell) { c.n.ReadIndex = ReadIndex{Step: Failed} }},
		{"applied", func(c *cell) { c.n.ReadIndex = ReadIndex{Step: Done, Index: at} }},
		{"ahead", func(c *cell) { c.n.ReadIndex = ReadIndex{Step: Done, Index: farther} }},
	}}
	aCatchUp = attribute[cell]{"catch-up", []value[cell]{
		{"BOOTSTRAP_REQUIRED", catchUp_(candor.CatchUpBootstrapRequired)}, {"RECOVERING", catchUp_(candor.CatchUpRecovering)},
		{"UNAVAILABLE", catchUp_(candor.CatchUpUnavailable)}, {"LAGGING", catchUp_(candor.CatchUpLagging)},
		{"FRESH", catchUp_(candor.CatchUpFresh)}, {"not known", catchUp_("")},
	}}
	aProof = attribute[cell]{"applied proof", []value[cell]{
		{"none", func(c *cell) { c.n.Proof = nil }},
		{"past bound and window", func(c *cell) { c.n.Proof = &Proof{Age: 2 * bound} }},
		{"past bound", func(c *cell) { c.n.Proof = &Proof{Age: bound + 1, Current: true} }},
		{"past window", func(c *cell) { c.n.Proof = &Proof{Age: bound} }},
		{"good", func(c *cell) { c.n.Proof = &Proof{Age: bound, Current: true} }},
	}}
	aProbe = attribute[cell]{"probe", []value[cell]{
		{"not yet", func(c *cell) { c.n.Probe = Probe{} }},
		{"failed", func(c *cell) { c.n.Probe = Probe{Step: Failed} }},
		{"applied", func(c *cell) { c.n.Probe = Probe{Step: Done, Index: at} }},
		{"ahead", func(c *cell) { c.n.Probe = Probe{Step: Done, Index: probed} }},
	}}
	aWaited = attribute[cell]{"waited", []value[cell]{
		{"no", func(c *cell) { c.n.Waited = false }},
		{"in vain", func(c *cell) { c.n.Waited = true }},
	}}
	aToken = attribute[cell]{"token", []value[cell]{
		{"none", func(c *cell) { c.q.Required = candor.Token{} }},
		{"covered", func(c *cell) { c.q.Required = candor.Token{Term: 1, Index: at, Revision: at} }},
		{"ahead", func(c *cell) { c.q.Required = candor.Token{Term: 1, Index: required, Revision: required} }},
		{"of another past", func(c *cell) { c.q.Required = candor.Token{Term: 1, Index: at, Revision: at + 1} }},
	}}
	aLag = attribute[cell]{"lag", []value[cell]{
		{"no bound", func(c *cell) { c.q.MaxLag = nil }},
		{"not known", func(c *cell) { c.q.MaxLag, c.n.Lag = new(uint64(3)), nil }},
		{"over", func(c *cell) { c.q.MaxLag, c.n.Lag = new(uint64(3)), new(uint64(4)) }},
		{"within", func(c *cell) { c.q.MaxLag, c.n.Lag = new(uint64(3)), new(uint64(3)) }},
	}}
)

func mode_(m candor.DegradedMode) func(*cell) { return func(c *cell) { c.n.Condition.Mode = m } }

func catchUp_(s candor.CatchUpState) func(*cell) {
	return func(c *cell) { c.n.Condition.CatchUp = s }
}

// In the order of the rules; every attribute is varied for every class, those
// behind the line that a class does not look at too.
var order = map[candor.Freshness][]attribute[cell]{
	candor.FreshnessStrong:     {aView, aMode, aRole, aReadIndex, aCatchUp, aToken, aWaited, aProof, aProbe, aLag},
	candor.FreshnessBounded:    {aView, aMode, aCatchUp, aProof, aProbe, aToken, aWaited, aLag, aRole, aReadIndex},
	candor.FreshnessBestEffort: {aView, aToken, aWaited, aMode, aCatchUp, aProof, aProbe, aLag, aRole, aReadIndex},
}

func describe(v Verdict) string {
	switch v.Do {
	case Serve:
		return fmt.Sprintf("serve %s, %s", v.Class, v.Mechanism)
	case Reject:
		return string(v.Reason)
	case WaitFor, WaitWithin:
		until := "read index"
		switch v.Index {
		case required:
			until = "token"
		case probed:
			until = "probe, within the bound"
		}
		return "wait for the " + until
	case Confirm:
		return "confirm"
	default:
		return "probe"
	}
}

// The table of the rules is what docs/protocol.md shows, whole and to the letter.
func TestEveryCellDecidesAsTheTableSays(t *testing.T) {
	var b strings.Builder
	for _, class := range []candor.Freshness{candor.FreshnessStrong, candor.FreshnessBounded, candor.FreshnessBestEffort} {
		count := 0
		c := cell{q: Request{Class: class, MaxStaleness: bound}, n: Node{Applied: candor.Token{Term: 1, Index: at, Revision: at}}}
		all := rows(c, order[class], func(c cell) string { return describe(Decide(&c.q, &c.n)) }, &count)
		fmt.Fprintf(&b, "`%s` (%d cells)\n\n%s\n", class, count, table(order[class], all))
	}
	golden(t, "testdata/decide.md", b.String())
	included(t, b.String())
}
