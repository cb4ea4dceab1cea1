package servertest_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// A duty that nobody holds is a finding of the leader's, once it has been so for longer
// than a free duty is left alone, and no more once somebody holds it.
func TestADutyThatNobodyHoldsIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		only := func(duties ...string) func(*server.Config) { return func(c *server.Config) { c.Duties = duties } }
		c := servertest.Start(t, servertest.WithData(t.TempDir()), servertest.WithServer("n1", only("ids", "tso")),
			servertest.WithServer("n2", only("ids")), servertest.WithServer("n3", only("ids")))
		k := c.Client(t)
		found := func() []string {
			status, err := k.Cluster().Status(t.Context(), client.OnEndpoint(c.Leader().Name()), client.WithoutSession())
			if err != nil {
				t.Fatal(err)
			}
			var subjects []string
			for _, f := range status.Findings {
				if f.Reason == "SCHEDULER_DEGRADED" {
					subjects = append(subjects, f.Subject)
				}
			}
			return subjects
		}
		if _, err := k.Timestamps(t.Context(), 1); err != nil { // n1 holds it, for only n1 may
			t.Fatal(err)
		}
		if got := found(); len(got) != 0 {
			t.Errorf("while they are held: %v", got)
		}
		c.Kill("n1")
		c.Until("the duty that nobody else may hold is found", func() bool { return strings.Join(found(), " ") == "duty tso" })
		if _, err := k.AllocIDs(t.Context(), 1); err != nil {
			t.Errorf("the other duty: %v", err)
		}
		c.Restart("n1")
		c.Until("it is held again", func() bool { return len(found()) == 0 })
	})
}
