package servertest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
)

var update = flag.Bool("update", false, "write the tables to testdata")

// TestEveryMethodIsForThoseWhomTheTableNames asks every method of every service
// that a server has registered, as everybody who may come, once access control is
// on. Whoever is refused has changed nothing, and the account of the server that
// was asked says that it was refused, by whom it was asked, and why.
func TestEveryMethodIsForThoseWhomTheTableNames(t *testing.T) {
	const proven = "Every party proves who it is: by a certificate of the cluster, or by a token over TLS."
	for name, test := range map[string]struct {
		file, about string
		start       func(t *testing.T) *roles
	}{
		"roles-tls": {"roles-tls.md", proven, rolesByCertificate},
		"roles":     {"roles.md", "Without TLS nobody has a certificate, and whoever reaches a server may speak to it as servers do.", rolesInTheClear},
		"streams":   {"roles-tls.md", proven, rolesOverStreams}, // nothing differs
	} {
		t.Run(name, func(t *testing.T) {
			if name != "roles-tls" {
				long(t)
			}
			synctest.Test(t, func(t *testing.T) {
				r := test.start(t)
				r.judgeAll()
				wantTable(t, test.file, heading+"\n"+test.about+"\n\n"+r.table())
			})
		})
	}
}

const heading = `# Who may call what, once access control is on

Asked of a running cluster by the test that keeps this file; ` + "`-update`" + ` writes it anew.

| cell | means |
|---|---|
| yes | the door and the turn let it pass; the request itself may still be wrong |
| no | FORBIDDEN: nothing was changed, and the refusal is in the audit log |
| who? | UNAUTHENTICATED: likewise |
`

// roles is a cluster and those who come to it.
type roles struct {
	*keys
	callers []*caller
	account *account
	rows    []judgedRow
	objects int
	// ids are the servers', by name.
	ids map[string]string
}

type judgedRow struct {
	method, what string
	cells        []string
}

// judgeAll asks every method, in the order in which the services name them. One
// that has no row fails the test.
func (r *roles) judgeAll() {
	r.t.Helper()
	known := rolesRows()
	for _, m := range r.registered() {
		full := fmt.Sprintf("/%s/%s", m.Parent().FullName(), m.Name())
		rows := known[full]
		if len(rows) == 0 {
			r.t.Errorf("%s has no row: add one to rolesRows, and see who may call it", full)
		}
		for _, row := range rows {
			judged := judgedRow{method: full, what: row.what}
			for _, c := range r.callers {
				judged.cells = append(judged.cells, r.judge(m, row, c))
			}
			r.rows = append(r.rows, judged)
		}
		delete(known, full)
	}
	for full := range known {
		r.t.Errorf("%s has a row and is not registered", full)
	}
}

// judge asks once, and looks at what became of it.
func (r *roles) judge(m method, row rolesRow, c *caller) string {
	r.t.Helper()
	r.objects++
	a := &asking{roles: r, caller: c, object: fmt.Sprintf("x%d", r.objects)}
	in := row.request(a)
	where := fmt.Sprintf("%s %s as %s", m.FullName(), row.what, c.name)
	if stray := r.account.news(); len(stray) > 0 {
		r.t.Errorf("before %s: the audit log has denials of what was done: %+v", where, stray)
	}
	before := r.state()
	err := c.call(r.t, m, in)
	cell := map[candor.Reason]string{candor.ReasonForbidden: "no", candor.ReasonUnauthenticated: "who?"}[candor.ReasonOf(err)]
	switch {
	case cell != "":
		diff := cmp.Diff(before, r.state())
		r.wantDenial(where, m, c, err)
		// A duty may have written meanwhile, but not every time.
		for again := 0; diff != "" && again < 3; again++ {
			before = r.state()
			err = c.call(r.t, m, in)
			diff = cmp.Diff(before, r.state())
			r.wantDenial(where, m, c, err)
		}
		if diff != "" {
			r.t.Errorf("%s was refused and changed something:\n%s", where, diff)
		}
		return cell
	case row.effective && err != nil:
		r.t.Errorf("%s: %v; want it done, or refused for want of a right", where, err)
	case row.effective:
		// Otherwise its refusals would prove nothing.
		r.cluster.Until(where+" changed something", func() bool { return r.state() != before })
	}
	if row.undo != nil {
		noError(r.t, row.undo(a))
	}
	return "yes"
}

// wantDenial: the refusal is in the account, once.
func (r *roles) wantDenial(where string, m method, c *caller, err error) {
	r.t.Helper()
	var found []denial
	r.cluster.Until(where+" is in the audit log", func() bool {
		found = append(found, r.account.news()...)
		return len(found) > 0
	})
	want := denial{Actor: c.actor, AuthenticatedBy: c.proof, Method: fmt.Sprintf("/%s/%s", m.Parent().FullName(), m.Name()), Reason: candor.ReasonOf(err)}
	if len(found) != 1 || found[0] != want {
		r.t.Errorf("%s: the audit log has %+v, want once %+v", where, found, want)
	}
}

// standing is all that a refusal must leave as it was.
type standing struct {
	Revision, Configuration, Floor, Term uint64
	Level                                uint32
	Mode                                 candor.DegradedMode
}

func (r *roles) state() standing {
	leader := r.cluster.Leader()
	v := leader.Machine().View()
	return standing{
		Revision: v.Token().Revision, Configuration: leader.Replica().Configuration().Index, Floor: v.Floor(),
		Term: leader.Replica().Status().Term, Level: v.Level(), Mode: leader.Condition().Mode,
	}
}

// table is what was judged, as Markdown: a table for each service.
func (r *roles) table() string {
	var b strings.Builder
	for _, c := range r.callers {
		fmt.Fprintf(&b, "- **%s**: %s\n", c.name, c.about)
	}
	for rest := r.rows; len(rest) > 0; {
		service := serviceOf(rest[0].method)
		n := slices.IndexFunc(rest, func(row judgedRow) bool { return serviceOf(row.method) != service })
		if n < 0 {
			n = len(rest)
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s", service, aligned(r.lines(rest[:n])))
		rest = rest[n:]
	}
	return b.String()
}

// lines are a table's, with the column that says of what only where it says
// something.
func (r *roles) lines(rows []judgedRow) [][]string {
	said := slices.ContainsFunc(rows, func(row judgedRow) bool { return row.what != "" })
	line := func(method, what string, cells []string) []string {
		if said {
			return append([]string{method, what}, cells...)
		}
		return append([]string{method}, cells...)
	}
	var callers []string
	for _, c := range r.callers {
		callers = append(callers, c.name)
	}
	lines := [][]string{line("method", "of what", callers)}
	for _, row := range rows {
		lines = append(lines, line(row.method[strings.LastIndexByte(row.method, '/')+1:], row.what, row.cells))
	}
	return lines
}

func serviceOf(method string) string { return strings.Split(method, "/")[1] }

// aligned is a Markdown table that also reads well as text.
func aligned(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, line := range lines {
		for i, cell := range line {
			b.WriteString("| " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+1))
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, w := range widths {
				b.WriteString("|" + strings.Repeat("-", w+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

func wantTable(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		noError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	noError(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s is not what the servers do (-file +servers); if that is meant, run the test with -update:\n%s", path, diff)
	}
}
