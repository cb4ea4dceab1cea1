package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/candor-plane/candor"
)

// auditRecord is a line of a server's audit log, as far as the tests look at it.
type auditRecord struct {
	Time            time.Time     `json:"time"`
	Actor           string        `json:"actor"`
	AuthenticatedBy string        `json:"authenticatedBy"`
	Source          string        `json:"source"`
	Method          string        `json:"method"`
	Verb            string        `json:"verb"`
	Name            string        `json:"name"`
	Verdict         string        `json:"verdict"`
	Reason          candor.Reason `json:"reason"`
	Message         string        `json:"message"`
}

const denied = "DENIED"

// audited is what a server has written into its account until now.
func (g *guarded) audited(p *process) []auditRecord {
	g.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.data, "audit", "audit.log"))
	if err != nil {
		g.t.Fatal(err)
	}
	// The last line may be on its way.
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	var records []auditRecord
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var r auditRecord
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			g.t.Fatalf("%s: %v in %s", p.name, err, lines.Bytes())
		}
		records = append(records, r)
	}
	return records
}

// accounts waits until one of the servers has a denial that is as wanted, and no
// older. Empty fields want nothing; the words are of the message.
func (g *guarded) accounts(want auditRecord, servers ...*process) {
	g.t.Helper()
	until(g.ctx, g.t, "a denial in the audit log: "+want.Actor+" "+want.Method+" "+want.Source+" "+want.Message, func() bool {
		for _, p := range servers {
			for _, r := range g.audited(p) {
				if r.Verdict == denied && want.matches(&r) {
					return true
				}
			}
		}
		return false
	})
}

func (want *auditRecord) matches(r *auditRecord) bool {
	if r.Time.Before(want.Time) {
		return false
	}
	for _, pair := range [][2]string{
		{want.Actor, r.Actor}, {want.AuthenticatedBy, r.AuthenticatedBy}, {want.Source, r.Source}, {want.Method, r.Method},
		{want.Verb, r.Verb}, {want.Name, r.Name}, {string(want.Reason), string(r.Reason)},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return strings.Contains(r.Message, want.Message)
}
