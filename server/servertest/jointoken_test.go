package servertest_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/mvcc"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// TestAServerJoinsByATokenAndTheTokenIsGone: it has no other right, the versions of
// the token tell what became of it, and no log, span or account tells its secret.
func TestAServerJoinsByATokenAndTheTokenIsGone(t *testing.T) {
	folder, data := t.TempDir(), t.TempDir()
	var said bytes.Buffer
	var b candor.Bearer
	spans := newRecorder()
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(folder, "n4.token")
		j := startJoining(t, servertest.WithData(data), servertest.WithTracing(server.Tracing{Provider: spans.provider}),
			servertest.WithLogger(hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &said, Mutex: new(sync.Mutex)})),
			servertest.WithServer("n4", func(c *server.Config) { c.JoinTokenFile = file }))
		b = j.joinToken(time.Now().Add(time.Hour))
		noError(t, os.WriteFile(file, []byte(b.String()+"\n"), 0o600))
		wantReason(t, j.ask(j.cluster.Leader().Name(), "n5", ""), candor.ReasonUnauthenticated)
		before := len(j.configuration().Servers)
		added := j.cluster.AddServer()
		if now := j.configuration(); len(now.Servers) != before+1 || len(now.Voters()) != before {
			t.Errorf("members: %+v", now)
		}
		var causes []candor.Cause
		j.cluster.Until("the token is gone", func() bool { return j.stored(b) == nil })
		j.cluster.Leader().Machine().View().Chain(refOfToken(b), func(v *mvcc.Version) bool {
			if o, err := v.Object(); err == nil && o.Cause != nil {
				causes = append(causes, candor.Cause{Actor: o.Cause.Actor, Reason: o.Cause.Reason, Message: o.Cause.Message})
			}
			return true
		})
		who := "server n4 (" + added.ID() + ")"
		want := []candor.Cause{
			{Actor: candor.ActorSystem, Reason: "JOINED", Message: who + " has joined by it"},
			{Actor: candor.ActorSystem, Reason: "JOINED", Message: "spent by " + who + " to join"},
			{Actor: "root"},
		}
		if diff := cmp.Diff(want, causes); diff != "" {
			t.Errorf("the token's versions: %s", diff)
		}
		_, err := j.root.Cluster().Promote(t.Context(), "n4", 0)
		noError(t, err)
		wantReason(t, j.ask(j.cluster.Leader().Name(), "n5", b.String()), candor.ReasonUnauthenticated)
		// As a member it needs no token, and its file may be gone.
		j.cluster.Stop("n4")
		noError(t, os.Remove(file))
		j.cluster.Restart("n4")
		j.cluster.Settle()
	})
	if strings.Contains(said.String(), b.Secret) {
		t.Error("a log tells the secret")
	}
	for _, span := range spans.kept.GetSpans() {
		if strings.Contains(fmt.Sprintf("%+v", span), b.Secret) {
			t.Errorf("a span tells the secret: %s", span.Name)
		}
	}
	if len(spans.kept.GetSpans()) == 0 {
		t.Error("nothing was traced")
	}
	accounts := joins(t, data, b)
	for _, want := range []joinAccount{
		{Actor: "ana", AuthenticatedBy: "token", Accessor: b.Accessor, Verb: "create", Kind: "system/members", Name: "n4", Verdict: "ALLOWED"},
		{Actor: "anonymous", AuthenticatedBy: "none", Verb: "create", Kind: "system/members", Name: "n5", Verdict: "DENIED", Reason: candor.ReasonUnauthenticated},
	} {
		if accounts[want] == 0 {
			t.Errorf("not in the audit log: %+v; what is: %+v", want, accounts)
		}
	}
}

// TestASpentTokenLetsNoOtherServerJoin, and lets the one that it was spent for try
// again, as a failure after the spending makes necessary.
func TestASpentTokenLetsNoOtherServerJoin(t *testing.T) {
	data := t.TempDir()
	var b candor.Bearer
	synctest.Test(t, func(t *testing.T) {
		j := startJoining(t, servertest.WithData(data))
		leader := j.cluster.Leader().Name()
		taken := j.occupy()
		b = j.joinToken(time.Now().Add(time.Hour))
		before := j.configuration()
		wantReason(t, j.ask(leader, "n4", b.String(), taken), candor.ReasonMemberExists)
		spent := j.stored(b)
		if spent == nil || !strings.Contains(string(spent.Status), `"reason":"JOINED"`) || !strings.Contains(string(spent.Status), `"message":"id-of-n4"`) {
			t.Fatalf("after the spending: %+v", spent)
		}
		err := j.ask(leader, "n5", b.String())
		wantReason(t, err, candor.ReasonForbidden)
		if when := time.Now().UTC().Format("2006-01-02T15:04"); !strings.Contains(err.Error(), "id-of-n4") || !strings.Contains(err.Error(), when) || strings.Contains(err.Error(), b.Secret) {
			t.Errorf("a replay is refused without whom and when: %v", err)
		}
		if diff := cmp.Diff(before, j.configuration()); diff != "" {
			t.Errorf("the members changed: %s", diff)
		}
		if now := j.stored(b); now == nil || now.Metadata.ResourceVersion != spent.Metadata.ResourceVersion {
			t.Errorf("a replay changed the token: %+v", now)
		}
		noError(t, j.ask(leader, "n4", b.String()))
		if len(j.configuration().Servers) != len(before.Servers)+1 || j.stored(b) != nil {
			t.Errorf("after the second try: %+v, %+v", j.configuration(), j.stored(b))
		}
	})
	replay := joinAccount{
		Actor: "ana", AuthenticatedBy: "token", Accessor: b.Accessor, Verb: "create", Kind: "system/members", Name: "n5",
		Verdict: "DENIED", Reason: candor.ReasonForbidden,
	}
	if accounts := joins(t, data, b); accounts[replay] != 1 {
		t.Errorf("the replay is not accounted for: %+v", accounts)
	}
}

// TestATokenThatDoesNotLetJoinIsRefused and nothing is changed: neither the members
// nor the token.
func TestATokenThatDoesNotLetJoinIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := startJoining(t)
		leader, follower := j.cluster.Leader().Name(), j.cluster.Follower().Name()
		good, expiring, revoked := j.joinToken(time.Now().Add(time.Hour)), j.joinToken(time.Now().Add(10*time.Second)), j.joinToken(time.Now().Add(time.Hour))
		_, normal := j.token("olga", "operator")
		held := j.joinToken(time.Now().Add(time.Hour))
		object := j.stored(held)
		object.Metadata.Finalizers = []string{"example.com/held"}
		_, err := j.root.Update(t.Context(), object)
		noError(t, err)
		j.revoke(revoked)
		j.revoke(held)
		time.Sleep(10 * time.Second)
		before := j.configuration()
		version := j.stored(good).Metadata.ResourceVersion
		forged := candor.Bearer{Accessor: good.Accessor, Secret: client.NewToken().Secret}
		unknown := client.NewToken()
		for name, test := range map[string]struct {
			at, token string
			want      candor.Reason
		}{
			"expired":             {leader, expiring.String(), candor.ReasonUnauthenticated},
			"revoked":             {leader, revoked.String(), candor.ReasonUnauthenticated},
			"revoked, and held":   {leader, held.String(), candor.ReasonUnauthenticated},
			"for requests":        {leader, normal.String(), candor.ReasonForbidden},
			"of another secret":   {leader, forged.String(), candor.ReasonUnauthenticated},
			"unknown":             {leader, unknown.String(), candor.ReasonUnauthenticated},
			"none at all":         {leader, "letmein", candor.ReasonUnauthenticated},
			"good, at a follower": {follower, good.String(), candor.ReasonNotLeader},
		} {
			err := j.ask(test.at, "n4", test.token)
			if candor.ReasonOf(err) != test.want || strings.Contains(fmt.Sprint(err), good.Secret) {
				t.Errorf("%s: %v; want %s", name, err, test.want)
			}
			var e *candor.Error
			if errors.As(err, &e) && test.want == candor.ReasonNotLeader && (e.Leader == nil || e.Leader.Address != leader) {
				t.Errorf("%s does not say who leads: %+v", name, e)
			}
		}
		// Nobody learns which of the two was wrong.
		if a, b := j.ask(leader, "n4", forged.String()), j.ask(leader, "n4", unknown.String()); a.Error() != b.Error() {
			t.Errorf("%q and %q tell accessors from secrets", a, b)
		}
		wantReason(t, j.ask(leader, "N 4\n", good.String()), candor.ReasonInvalid)
		if diff := cmp.Diff(before, j.configuration()); diff != "" {
			t.Errorf("the members changed: %s", diff)
		}
		if now := j.stored(good).Metadata.ResourceVersion; now != version {
			t.Errorf("the token is at %d, was at %d", now, version)
		}
		_, _, err = j.with(good.String()).Get(t.Context(), refOf("default"))
		wantReason(t, err, candor.ReasonUnauthenticated)
	})
}

// TestATokenCountsAsItIsWhenItIsSpent whatever it was when it was looked at.
func TestATokenCountsAsItIsWhenItIsSpent(t *testing.T) {
	for name, test := range map[string]struct {
		between func(j *joining, b candor.Bearer, taken func(*candorv1.JoinRequest))
		want    candor.Reason
		joined  int
	}{
		"revoked": {func(j *joining, b candor.Bearer, _ func(*candorv1.JoinRequest)) { j.revoke(b) }, candor.ReasonUnauthenticated, 0},
		"spent by another, which joined": {func(j *joining, b candor.Bearer, _ func(*candorv1.JoinRequest)) {
			if err := j.ask(j.cluster.Leader().Name(), "n5", b.String()); err != nil {
				j.t.Error(err)
			}
		}, candor.ReasonUnauthenticated, 1},
		"spent by another, which did not join": {func(j *joining, b candor.Bearer, taken func(*candorv1.JoinRequest)) {
			err := j.ask(j.cluster.Leader().Name(), "n5", b.String(), taken)
			if candor.ReasonOf(err) != candor.ReasonMemberExists {
				j.t.Error(err)
			}
		}, candor.ReasonForbidden, 0},
		"changed otherwise": {func(j *joining, b candor.Bearer, _ func(*candorv1.JoinRequest)) {
			o := j.stored(b)
			o.Metadata.Labels = map[string]string{"rack": "7"}
			if _, err := j.root.Update(j.t.Context(), o); err != nil {
				j.t.Error(err)
			}
		}, "", 1},
		"used by the same server meanwhile": {func(j *joining, b candor.Bearer, taken func(*candorv1.JoinRequest)) {
			err := j.ask(j.cluster.Leader().Name(), "n4", b.String(), taken)
			if candor.ReasonOf(err) != candor.ReasonMemberExists {
				j.t.Error(err)
			}
		}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := startJoining(t)
				taken := j.occupy()
				b := j.joinToken(time.Now().Add(time.Hour))
				before := len(j.configuration().Servers)
				happened := false
				j.when("n4", func() { test.between(j, b, taken); happened = true })
				err := j.ask(j.cluster.Leader().Name(), "n4", b.String())
				if candor.ReasonOf(err) != test.want || !happened {
					t.Errorf("%v; want %q; it happened between: %t", err, test.want, happened)
				}
				if now := len(j.configuration().Servers); now != before+test.joined {
					t.Errorf("%d members, were %d; want %d more", now, before, test.joined)
				}
			})
		})
	}
}

// TestOfServersThatRaceWithOneTokenOneJoins and no more, whichever it is.
func TestOfServersThatRaceWithOneTokenOneJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := startJoining(t)
		leader := j.cluster.Leader().Name()
		b := j.joinToken(time.Now().Add(time.Hour))
		before := len(j.configuration().Servers)
		results := make(chan error)
		const racers = 5
		for i := range racers {
			go func() { results <- j.ask(leader, fmt.Sprintf("n%d", 10+i), b.String()) }()
		}
		won := 0
		for range racers {
			switch err := <-results; candor.ReasonOf(err) {
			case "":
				won++
			case candor.ReasonForbidden, candor.ReasonUnauthenticated:
			default:
				t.Errorf("a server that lost is told %v", err)
			}
		}
		if now := len(j.configuration().Servers); won != 1 || now != before+1 {
			t.Errorf("%d joined, and there are %d members after %d", won, now, before)
		}
	})
}

// TestATokenMovesNoMember: whoever has one may not send another server's log
// somewhere else.
func TestATokenMovesNoMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := startJoining(t)
		leader := j.cluster.Leader().Name()
		noError(t, j.ask(leader, "n4", j.joinToken(time.Now().Add(time.Hour)).String()))
		b := j.joinToken(time.Now().Add(time.Hour))
		before := j.configuration()
		wantReason(t, j.ask(leader, "n4", b.String(), func(in *candorv1.JoinRequest) { in.RaftAddress = "n6/raft" }), candor.ReasonMemberExists)
		if diff := cmp.Diff(before, j.configuration()); diff != "" {
			t.Errorf("the members changed: %s", diff)
		}
		if j.stored(b).Status != nil {
			t.Error("the token was spent for nothing")
		}
	})
}

// TestAServerWhoseAnswerWasLostFindsThatItHasJoined although its token is gone by
// then.
func TestAServerWhoseAnswerWasLostFindsThatItHasJoined(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(folder, "n4.token")
		j := startJoining(t, servertest.WithServer("n4", func(c *server.Config) { c.JoinTokenFile = file }))
		leader := j.cluster.Leader().Name()
		b := j.joinToken(time.Now().Add(time.Hour))
		noError(t, os.WriteFile(file, []byte(b.String()), 0o600))
		var healed sync.WaitGroup
		j.when("n4", func() {
			j.cluster.Cut(leader, "n4")
			healed.Go(func() {
				time.Sleep(12 * time.Second)
				if j.stored(b) != nil {
					t.Error("the token is not gone while the answer is lost")
				}
				j.cluster.Heal()
			})
		})
		j.cluster.AddServer()
		healed.Wait()
	})
}
