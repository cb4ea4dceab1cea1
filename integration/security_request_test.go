package integration

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	commands "github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/identity"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// TestWhoMayNotIsRefusedWithTheReason on every server, by the command line; the
// account of the server that was asked says who it was, and nothing is changed.
func TestWhoMayNotIsRefusedWithTheReason(t *testing.T) {
	g := guard(t, 15*time.Second, calm...)
	create(g.ctx, t, g.root, "kept")
	g.issue(candor.PartyClient, "ana", "eve")
	g.bind("ana", "operator")
	bob := g.token("bob", "viewer")
	files := map[string]string{}
	for name, text := range map[string]string{"bob": bob, "wrong": bob + "A"} {
		files[name] = filepath.Join(g.dir, name+"-given.token")
		if err := os.WriteFile(files[name], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := g.state()
	for _, test := range []struct {
		name   string
		files  identity.Files
		flags  []string
		reason candor.Reason
		actor  string
	}{
		{"no token and no certificate", g.trusting(), nil, candor.ReasonUnauthenticated, ""},
		{"only a name", g.trusting(), []string{"--as", "root"}, candor.ReasonUnauthenticated, ""},
		{"a token with another secret", g.trusting(), []string{"--token-file", files["wrong"]}, candor.ReasonUnauthenticated, ""},
		{"another's name beside a certificate", g.files("ana"), []string{"--as", "root"}, candor.ReasonForbidden, "ana"},
		{"another's name beside a token", g.trusting(), []string{"--token-file", files["bob"], "--as", "root"}, candor.ReasonForbidden, "bob"},
		{"the cluster's own name", g.files("root"), []string{"--as", "system"}, candor.ReasonForbidden, ""},
		{"a certificate without a role", g.files("eve"), nil, candor.ReasonForbidden, "eve"},
		{"a token of one who may only read", g.trusting(), []string{"--token-file", files["bob"]}, candor.ReasonForbidden, "bob"},
		{"another's rights taken away by an operator", g.files("ana"), []string{"tokens"}, candor.ReasonForbidden, "ana"},
	} {
		what, began := []string{"delete", "namespaces", "kept"}, time.Now()
		if len(test.flags) == 1 {
			what, test.flags = []string{"delete", test.flags[0], accessor(t, bob)}, nil
		}
		out := g.cliWith(test.files, test.reason.Disposition().Exit, append(what, test.flags...)...)
		if !strings.Contains(out, string(test.reason)) {
			t.Errorf("%s: %s", test.name, out)
		}
		proof := "none"
		if test.actor != "" {
			proof = ""
		}
		g.accounts(auditRecord{Time: began, Actor: test.actor, AuthenticatedBy: proof, Reason: test.reason}, g.servers...)
	}
	if diff := cmp.Diff(before, g.state()); diff != "" {
		t.Errorf("refusals changed something:\n%s", diff)
	}
	// What was refused to the others is done for who may.
	g.cli("ana", candor.ExitDone, "delete", "namespaces", "kept")
}

func accessor(t *testing.T, token string) string {
	t.Helper()
	b, err := candor.ParseBearer(token)
	if err != nil {
		t.Fatal(err)
	}
	return b.Accessor
}

// TestWhatServersAskOneAnotherIsTheirs: neither an administrator nor a worker may
// forward a command as a server does, with anybody's name in it, and no stranger
// makes a server a member.
func TestWhatServersAskOneAnotherIsTheirs(t *testing.T) {
	g := guard(t, 15*time.Second, calm...)
	g.issue(candor.PartyWorker, "w1")
	leader := g.leader(g.ctx, g.root)
	before := g.state()
	forged := commands.AppendCommand(nil, &commands.Command{
		Type: commands.TypeWrite, Actor: "root", Verified: true, RequestID: "forged", NotAfter: 1 << 62,
		Then: []commands.Operation{{Verb: commands.VerbCreate, Kind: candor.KindNamespaces, Object: object("forged")}},
	})
	join := &candorv1.JoinRequest{
		ServerId: "9d2c6c4c-3d9e-4f10-8b0c-9a531a5c0b0c", Name: "n9", RaftAddress: freeAddress(t), ApiAddress: freeAddress(t),
		ClusterId: guardedID, FeatureLevel: candor.FeatureLevel,
	}
	for name, actor := range map[string]string{"root": "root", "w1": "worker/w1", "": candor.ActorAnonymous} {
		files := g.trusting()
		if name != "" {
			files = g.files(name)
		}
		conn, err := grpc.NewClient("passthrough:///"+leader.api,
			grpc.WithTransportCredentials(credentials.NewTLS(source(t, files).Client(identity.OneOf(candor.PartyServer), "h2"))))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		between := candorv1.NewPeerServiceClient(conn)
		asks := map[string]func() error{
			candorv1.PeerService_Forward_FullMethodName: func() error {
				_, err := between.Forward(g.ctx, &candorv1.ForwardRequest{ClusterId: guardedID, Command: forged})
				return err
			},
			candorv1.PeerService_Identify_FullMethodName: func() error {
				_, err := between.Identify(g.ctx, &candorv1.IdentifyRequest{})
				return err
			},
		}
		if name != "root" { // who is the administrator, and may add members
			asks[candorv1.ClusterService_Join_FullMethodName] = func() error {
				_, err := candorv1.NewClusterServiceClient(conn).Join(g.ctx, join)
				return err
			}
		}
		for method, ask := range asks {
			err := convert.ErrorFromStatus(ask())
			reason := candor.ReasonForbidden
			if name == "" && method == candorv1.ClusterService_Join_FullMethodName {
				reason = candor.ReasonUnauthenticated
			}
			if candor.ReasonOf(err) != reason {
				t.Errorf("%s by %s: %v, want %s", method, actor, err, reason)
			}
			g.accounts(auditRecord{Actor: actor, Method: method, Reason: reason}, leader)
		}
	}
	if diff := cmp.Diff(before, g.state()); diff != "" {
		t.Errorf("refusals changed something:\n%s", diff)
	}
}

// TestAnotherClustersServerIsNotTakenIn: it has certificates of its own cluster,
// and asks to join; and one of this cluster with another server's certificate does
// not begin.
func TestAnotherClustersServerIsNotTakenIn(t *testing.T) {
	g := guard(t, 15*time.Second, calm...)
	before := g.state()
	folder := filepath.Join(g.dir, "beta")
	succeeds(t, "tls", "init", "--dir", folder, "--cluster", "beta")
	foreign := newProcess(t, g.dir, "m1", "--join", strings.Join(g.addresses(), ","), "--auth", "--log-level", "debug")
	succeeds(t, "tls", "issue", "server", "--dir", folder, "--data", foreign.data, "--name", foreign.name)
	files := filesIn(filepath.Join(folder, foreign.name), foreign.name)
	foreign.flags = append(foreign.flags, tlsFlags(files)...)
	foreign.begin(t)
	until(g.ctx, t, "a refusal in the log of the other cluster's server", func() bool {
		return strings.Contains(foreign.said(t), "is of cluster "+guardedID+"; this is cluster beta")
	})
	foreign.kill()
	// It gave up because it does not trust us. We do not trust it either.
	certificate := pair(t, files.Cert, files.Key)
	for _, p := range g.servers {
		for _, port := range g.ports(p) {
			g.refused(p, port, "another cluster's server", presenting(certificate, port.protocols...), "is of cluster beta")
		}
	}
	wrong := newProcess(t, g.dir, "n4", "--join", strings.Join(g.addresses(), ","), "--auth")
	wrong.flags = append(wrong.flags, tlsFlags(g.files("n1"))...)
	wrong.refuses(t, candor.ReasonInvalid, g.files("n1").Cert, "spiffe://"+guardedID+"/server/")
	if diff := cmp.Diff(before, g.state()); diff != "" {
		t.Errorf("refusals changed something:\n%s", diff)
	}
}

// TestNobodyPosesAsAServer to a client: it takes the certificates of servers of
// its cluster alone, and says why it takes no other.
func TestNobodyPosesAsAServer(t *testing.T) {
	g := guard(t, 15*time.Second, calm...)
	g.issue(candor.PartyWorker, "w1")
	w1, ca, member := g.files("w1"), g.issuing(), g.uri("n1")
	posing := []stranger{
		{"a worker", pair(t, w1.Cert, w1.Key), "may not be used to serve"},
		{"a worker that may serve", forge(t, ca, nil, g.uri("w1")), "want a server"},
	}
	for _, s := range g.strangers() {
		if s.name != "one that may only serve" {
			posing = append(posing, s)
		}
	}
	for _, s := range posing {
		g.refuses(g.files("root"), []string{g.pose(s)}, s.why)
	}
	// A server of the cluster is taken there, so that it was the certificate.
	own := g.files("n1")
	address := g.pose(stranger{name: member, certificate: pair(t, own.Cert, own.Key)})
	if _, met, err := knock(g.ctx, address, source(t, g.files("root")).Client(identity.OneOf(candor.PartyServer), "h2")); len(met.PeerCertificates) == 0 {
		t.Errorf("INCONCLUSIVE: %v", err)
	}
	out := g.cliWith(g.trusting(), candor.ExitDone, "auth", "whoami")
	if !strings.Contains(out, "nothing: it is your own word") {
		t.Errorf("who has no certificate is %s", out)
	}
}

// refuses wants a client to take nobody who answers there, and to say why: it
// tries on until it is told to give up.
func (g *guarded) refuses(files identity.Files, endpoints []string, why string) {
	g.t.Helper()
	k := g.with(files, client.Config{Endpoints: endpoints})
	ctx, cancel := context.WithTimeout(g.ctx, 400*time.Millisecond)
	defer cancel()
	if _, err := k.Create(ctx, object("told-to-a-stranger")); err == nil || !strings.Contains(err.Error(), why) {
		g.t.Errorf("who should be refused because it %q: %v", why, err)
	}
}

// pose listens with a certificate, until the test ends, and hangs up on those who
// take it.
func (g *guarded) pose(s stranger) string {
	g.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	hold(g.t, l, s.certificate)
	return l.Addr().String()
}
