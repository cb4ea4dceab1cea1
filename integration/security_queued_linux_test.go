package integration

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// patient lets a leader lead on while nobody answers it for a moment.
var patient = []string{"--heartbeat", "2s", "--election", "2s", "--leader-lease", "2s"}

// TestAQueuedWriteIsRefusedInTheTurn when what it was admitted by is gone before
// its turn comes: a token, or the binding of a role. Both followers are stopped, so
// that the leader can finish nothing: it takes what takes the rights away, and then
// the writes, which by its view are still allowed. When the followers go on, the
// turns come in that order.
func TestAQueuedWriteIsRefusedInTheTurn(t *testing.T) {
	g := guard(t, 40*time.Second, patient...)
	g.issue(candor.PartyClient, "bob", "carl")
	bob, carl := g.with(g.trusting(), client.Config{Token: g.token("bob", "operator")}), g.as("carl")
	g.bind("carl", "operator")
	for name, k := range map[string]*client.Client{"bob": bob, "carl": carl} {
		// Each finds the leader and the cluster's time before it matters.
		create(g.ctx, t, k, "of-"+name)
	}
	self, err := bob.Access("").WhoAmI(g.ctx)
	if err != nil {
		t.Fatal(err)
	}
	before := g.kept("of-bob", "of-carl")
	leader := g.leader(g.ctx, g.root)
	g.freeze(leader)

	root := ongoing(func() error {
		_, err := g.root.Txn().Then(
			client.OpDelete(candor.Ref{Kind: candor.KindTokens, Name: self.Accessor}),
			client.OpDelete(candor.Ref{Kind: candor.KindRoleBindings, Name: "carl-operator"}),
		).Commit(g.ctx, client.WithRequestID("revoke"))
		return err
	})
	g.proposed(g.root, leader, "revoke")
	writes := map[string]<-chan error{}
	for name, k := range map[string]*client.Client{"bob": bob, "carl": carl} {
		writes[name] = ongoing(func() error {
			_, err := k.Delete(g.ctx, refTo("of-"+name), client.WithRequestID("write"))
			return err
		})
		// Asked by certificate: who asks is the same.
		g.proposed(g.as(name), leader, "write")
	}
	g.goOn(leader)

	if err := <-root; err != nil {
		t.Fatalf("INCONCLUSIVE: nothing was revoked: %v", err)
	}
	for name, reason := range map[string]candor.Reason{"bob": candor.ReasonUnauthenticated, "carl": candor.ReasonForbidden} {
		if err := <-writes[name]; candor.ReasonOf(err) != reason {
			t.Errorf("the write of %s ended with %v, want %s", name, err, reason)
		}
		became, err := g.as(name).Outcome(g.ctx, "write", client.OnEndpoint(leader.api), client.WithFreshness(candor.FreshnessBestEffort))
		if err != nil || became.Outcome != candor.OutcomeFailed || became.Reason != reason {
			t.Errorf("of the write of %s became %+v, %v; want FAILED, which its turn says, with %s", name, became, err, reason)
		}
		g.accounts(auditRecord{Actor: name, Verb: "delete", Name: "of-" + name, Reason: reason}, leader)
	}
	if after := g.kept("of-bob", "of-carl"); after != before {
		t.Errorf("what may not be written was: %s, before %s", after, before)
	}
	g.sameDigests(g.ctx, g.root, g.servers...)
}

// ongoing is the end of a call that is under way, and ends with its context.
func ongoing(call func() error) <-chan error {
	end := make(chan error, 1)
	go func() { end <- call() }()
	return end
}

// kept is what objects are now, with their revisions.
func (g *guarded) kept(names ...string) string {
	g.t.Helper()
	text := ""
	for _, name := range names {
		o, _, err := g.root.Get(g.ctx, refTo(name))
		if err != nil {
			g.t.Fatal(err)
		}
		text += fmt.Sprintf("%s at %d by %s; ", name, o.Metadata.ResourceVersion, o.Cause.Actor)
	}
	return text
}

// freeze has every server but the leader stand still.
func (g *guarded) freeze(leader *process) {
	g.t.Helper()
	g.signals(leader, syscall.SIGSTOP)
	until(g.ctx, g.t, "the followers stand still", func() bool {
		for _, p := range g.servers {
			if p != leader && !stopped(p) {
				return false
			}
		}
		return true
	})
}

func (g *guarded) goOn(leader *process) {
	g.t.Helper()
	g.signals(leader, syscall.SIGCONT)
}

func (g *guarded) signals(leader *process, signal syscall.Signal) {
	g.t.Helper()
	for _, p := range g.servers {
		if p == leader {
			continue
		}
		if err := p.child.Process.Signal(signal); err != nil {
			g.t.Fatal(err)
		}
	}
}

// proposed waits until a request is in the leader's log and not done.
func (g *guarded) proposed(k *client.Client, leader *process, requestID string) {
	g.t.Helper()
	until(g.ctx, g.t, requestID+" in the leader's log", func() bool {
		became, err := k.Outcome(g.ctx, requestID, client.OnEndpoint(leader.api), client.WithFreshness(candor.FreshnessBestEffort))
		return err == nil && became.Outcome == candor.OutcomeProposed
	})
}
