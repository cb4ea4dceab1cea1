package servertest_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
)

// auditTail follows the audit log of n1 with a client.
type auditTail struct {
	lines chan map[string]any
	ended chan error
}

func followAudit(t *testing.T, c *client.Client, q client.AuditQuery) *auditTail {
	t.Helper()
	f := &auditTail{lines: make(chan map[string]any, 1000), ended: make(chan error, 1)}
	q.Follow = true
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		f.ended <- c.Node("n1").TailAudit(ctx, q, func(line []byte) error {
			var r map[string]any
			if err := json.Unmarshal(line, &r); err != nil {
				return err
			}
			f.lines <- r
			return nil
		})
	}()
	return f
}

// next is the next line, which comes at once.
func (f *auditTail) next(t *testing.T) map[string]any {
	t.Helper()
	select {
	case line := <-f.lines:
		return line
	case err := <-f.ended:
		t.Fatalf("it ended: %v", err)
	case <-time.After(time.Second):
		t.Fatal("nothing is told")
	}
	return nil
}

// end is what it ends with, which is at once.
func (f *auditTail) end(t *testing.T, within time.Duration) error {
	t.Helper()
	select {
	case err := <-f.ended:
		return err
	case <-time.After(within):
		t.Fatal("it goes on")
		return nil
	}
}

// auditors gives the actor a token and the right to read the audit log.
func auditors(k *keys, actor string) (*client.Client, candor.Bearer) {
	k.t.Helper()
	_, err := k.root.Create(k.t.Context(), accessObject("Role", "auditor", `{"rules":[{"verbs":["get"],"kinds":["system/audit"]}]}`))
	noError(k.t, err)
	return k.token(actor, "auditor")
}

func startAudited(t *testing.T) *keys {
	t.Helper()
	return openAccess(t, servertest.Start(t, servertest.WithServers(1), servertest.WithData(t.TempDir())))
}

// TestTheAuditLogIsReadByThoseWhoMay and tells at once of what is done and what is
// denied, their own attempts included.
func TestTheAuditLogIsReadByThoseWhoMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := startAudited(t)
		vera, _ := k.token("vera", "viewer")
		nothing := func([]byte) error { return nil }
		wantReason(t, vera.Node("n1").TailAudit(t.Context(), client.AuditQuery{Last: -1}, nothing), candor.ReasonForbidden)
		wantReason(t, k.with("").Node("n1").TailAudit(t.Context(), client.AuditQuery{Last: -1}, nothing), candor.ReasonUnauthenticated)

		odo, _ := auditors(k, "odo")
		synctest.Wait() // until that is recorded too
		all := followAudit(t, odo, client.AuditQuery{})
		denials := followAudit(t, odo, client.AuditQuery{Last: 1, Actor: "vera", Verdict: "DENIED", Method: "TailAudit", Kind: "system/audit"})
		if r := denials.next(t); r["actor"] != "vera" || r["verdict"] != "DENIED" || r["reason"] != "FORBIDDEN" || r["authenticatedBy"] != "token" {
			t.Errorf("the attempt to read the log: %v", r)
		}
		synctest.Wait()
		_, err := k.root.Create(t.Context(), accessObject("Namespace", "made", `{}`))
		noError(t, err)
		if r := all.next(t); r["actor"] != "root" || r["verdict"] != "ALLOWED" || r["kind"] != "namespaces.candor" || r["name"] != "made" {
			t.Errorf("a write: %v", r)
		}
		wantReason(t, vera.Node("n1").TailAudit(t.Context(), client.AuditQuery{}, nothing), candor.ReasonForbidden)
		for _, f := range []*auditTail{all, denials} {
			if r := f.next(t); r["actor"] != "vera" || r["verdict"] != "DENIED" {
				t.Errorf("a denial: %v", r)
			}
		}
		wantReason(t, odo.Node("n1").TailAudit(t.Context(), client.AuditQuery{Verdict: "GRANTED"}, nothing), candor.ReasonInvalid)
		var actors []string
		noError(t, odo.Node("n1").TailAudit(t.Context(), client.AuditQuery{Last: 2}, func(line []byte) error {
			actors = append(actors, string(line))
			return nil
		}))
		if len(actors) != 2 || !strings.Contains(actors[0], `"root"`) || !strings.Contains(actors[1], `"vera"`) {
			t.Errorf("the last two: %q", actors)
		}
	})
}

// TestReadingTheAuditLogEndsWhenTheRightGoes, at once for what is taken away and
// soon for a token that expires, and when the server stops.
func TestReadingTheAuditLogEndsWhenTheRightGoes(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(k *keys, b candor.Bearer)
		within time.Duration
		want   []candor.Reason
	}{
		"token": {func(k *keys, b candor.Bearer) {
			_, err := k.root.Delete(k.t.Context(), candor.Ref{Kind: candor.KindTokens, Name: b.Accessor})
			noError(k.t, err)
		}, time.Second, []candor.Reason{candor.ReasonUnauthenticated, candor.ReasonForbidden}},
		"binding": {func(k *keys, _ candor.Bearer) {
			_, err := k.root.Delete(k.t.Context(), candor.Ref{Kind: candor.KindRoleBindings, Name: "odo-auditor"})
			noError(k.t, err)
		}, time.Second, []candor.Reason{candor.ReasonForbidden}},
		"role": {func(k *keys, _ candor.Bearer) {
			o, _, err := k.root.Get(k.t.Context(), candor.Ref{Kind: candor.KindRoles, Name: "auditor"})
			noError(k.t, err)
			o.Spec = []byte(`{"rules":[{"verbs":["get"],"kinds":["system/diagnostics"]}]}`)
			_, err = k.root.Update(k.t.Context(), o)
			noError(k.t, err)
		}, time.Second, []candor.Reason{candor.ReasonForbidden}},
		"server": {func(k *keys, _ candor.Bearer) {
			go func() { _ = k.cluster.Leader().Close() }()
		}, 5 * time.Second, []candor.Reason{candor.ReasonShuttingDown}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := startAudited(t)
				odo, b := auditors(k, "odo")
				f := followAudit(t, odo, client.AuditQuery{})
				synctest.Wait()
				c.end(k, b)
				wantReason(t, f.end(t, c.within), c.want...)
				if name != "server" {
					synctest.Wait()
					told := len(f.lines)
					_, err := k.root.Create(t.Context(), accessObject("Namespace", "later", `{}`))
					noError(t, err)
					synctest.Wait()
					if len(f.lines) != told {
						t.Error("it was told of what came after")
					}
				}
			})
		})
	}
}

// TestReadingTheAuditLogEndsWithItsToken: nothing changes when one expires.
func TestReadingTheAuditLogEndsWithItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := startAudited(t)
		_, _ = auditors(k, "odo")
		b := client.NewToken()
		expires := time.Now().Add(time.Minute).UTC().Format(time.RFC3339)
		_, err := k.root.Create(t.Context(), accessObject("Token", b.Accessor, `{"actor":"odo","hash":"`+client.HashOf(b)+`","expires":"`+expires+`"}`))
		noError(t, err)
		f := followAudit(t, k.with(b.String()), client.AuditQuery{})
		wantReason(t, f.end(t, time.Minute+15*time.Second), candor.ReasonUnauthenticated)
	})
}

// TestAGossipKeyTravelsEncryptedOrNotAtAll: one that came in the clear is refused
// before anything is done with it, and the record of it does not repeat it.
func TestAGossipKeyTravelsEncryptedOrNotAtAll(t *testing.T) {
	data, key := t.TempDir(), client.NewGossipKey()
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithServers(1), servertest.WithData(data))
		conn, err := grpc.NewClient("passthrough:///n1", grpc.WithContextDialer(c.Dialer()), grpc.WithTransportCredentials(insecure.NewCredentials()))
		noError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = candorv1.NewNodeServiceClient(conn).AddGossipKey(t.Context(), &candorv1.AddGossipKeyRequest{Key: key})
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonForbidden)
		_, err = candorv1.NewNodeServiceClient(conn).UseGossipKey(t.Context(), &candorv1.UseGossipKeyRequest{Fingerprint: key})
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonUnavailable)
		k := c.Client(t)
		c.Until("the attempt is on record", func() (told bool) {
			noError(t, k.Node("n1").TailAudit(t.Context(), client.AuditQuery{Last: -1}, func(line []byte) error {
				told = told || strings.Contains(string(line), "AddGossipKey")
				if strings.Contains(string(line), key) {
					t.Errorf("the key is on record: %s", line)
				}
				return nil
			}))
			return told
		})
	})
	synctest.Test(t, func(t *testing.T) {
		s := startSecured(t)
		ana := s.with(s.authority, s.authority.Issue(candor.PartyClient, "ana"), "")
		_, err := ana.Node("n1").AddGossipKey(t.Context(), key)
		// These servers do not gossip: it got as far as that.
		wantReason(t, err, candor.ReasonUnavailable)
		_, err = ana.Node("n1").AddGossipKey(t.Context(), "nonsense")
		wantReason(t, err, candor.ReasonInvalid)
	})
}
