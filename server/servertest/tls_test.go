package servertest_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/identity"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
)

// secured is a cluster whose parties prove who they are.
type secured struct {
	t         *testing.T
	authority *servertest.Authority
	cluster   *servertest.Cluster
}

func startSecured(t *testing.T) *secured {
	t.Helper()
	authority := servertest.NewAuthority(t, "c-1")
	names := []string{"n1", "n2", "n3"}
	return &secured{t, authority, servertest.Start(t, servertest.WithData(t.TempDir()), servertest.WithTLS(authority, names...))}
}

// with is a client of these certificates.
func (s *secured) with(a *servertest.Authority, files identity.Files, actor string) *client.Client {
	s.t.Helper()
	c, err := client.New(client.Config{Endpoints: []string{"n1", "n2", "n3"}, TLS: a.Source(files), Actor: actor, Dialer: s.cluster.Dialer()})
	noError(s.t, err)
	s.t.Cleanup(func() { noError(s.t, c.Close()) })
	return c
}

// TestACertificateIsWhoActs on every server, and nobody without one of this
// cluster gets in.
func TestACertificateIsWhoActs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSecured(t)
		if id := s.cluster.Leader().Machine().View().ClusterID(); id != "c-1" {
			t.Errorf("the cluster is %s, the certificates are of c-1", id)
		}
		ana := s.with(s.authority, s.authority.Issue(candor.PartyClient, "ana"), "")
		_, err := ana.Create(t.Context(), accessObject("Namespace", "known", `{}`))
		noError(t, err)
		for _, server := range s.cluster.Servers() {
			o, w, err := ana.Get(t.Context(), refOf("known"), client.OnEndpoint(server.Name()), client.WithFreshness(candor.FreshnessBounded))
			noError(t, err)
			if o.Cause.Actor != "ana" || w.NodeName != server.Name() {
				t.Errorf("made by %s, told by %s", o.Cause.Actor, w.NodeName)
			}
		}
		_, err = s.with(s.authority, s.authority.Issue(candor.PartyClient, "eve"), "ana").Create(t.Context(), accessObject("Namespace", "x", `{}`))
		wantReason(t, err, candor.ReasonForbidden)
		other := servertest.NewAuthority(t, "c-1")
		_, err = s.with(other, other.Issue(candor.PartyClient, "ana"), "").Create(t.Context(), accessObject("Namespace", "y", `{}`))
		if err == nil {
			t.Error("a certificate of another authority was taken")
		}
		// A client that proves nothing beside a server that does: known as nobody.
		files := s.authority.Issue(candor.PartyClient, "nobody")
		files.Cert, files.Key = "", ""
		self, err := s.with(s.authority, files, "").Access("").WhoAmI(t.Context())
		noError(t, err)
		if self.Proof != candor.ProofNone {
			t.Errorf("%+v", self)
		}
	})
}

// TestOnlyServersSpeakAsServers: a worker's certificate, stolen, opens neither the
// service between servers nor membership, and a server joins for itself alone.
func TestOnlyServersSpeakAsServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSecured(t)
		leader := s.cluster.Leader()
		dial := func(party candor.Party, name string) *grpc.ClientConn {
			source := s.authority.Source(s.authority.Issue(party, name))
			conn, err := grpc.NewClient("passthrough:///"+leader.Name(), grpc.WithContextDialer(s.cluster.Dialer()),
				grpc.WithTransportCredentials(credentials.NewTLS(source.Client(identity.OneOf(candor.PartyServer), "h2"))))
			noError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		}
		worker, stranger := dial(candor.PartyWorker, "w1"), dial(candor.PartyServer, "5a6b")
		_, err := candorv1.NewPeerServiceClient(worker).Forward(t.Context(), &candorv1.ForwardRequest{ClusterId: "c-1", Probe: true})
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonForbidden)
		_, err = candorv1.NewPeerServiceClient(worker).Identify(t.Context(), &candorv1.IdentifyRequest{})
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonForbidden)
		join := &candorv1.JoinRequest{ServerId: "other", Name: "n9", RaftAddress: "n9/raft", ApiAddress: "n9", ClusterId: "c-1", FeatureLevel: candor.FeatureLevel}
		_, err = candorv1.NewClusterServiceClient(stranger).Join(t.Context(), join)
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonForbidden)
		if n := len(leader.Replica().Configuration().Servers); n != 3 {
			t.Errorf("%d members", n)
		}
	})
}

// TestAServerRepairsItselfWhereAccessIsControlled: it takes the snapshot as a
// server of the cluster, by its certificate and no right of anybody's.
func TestAServerRepairsItselfWhereAccessIsControlled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		authority := servertest.NewAuthority(t, "c-1")
		d, faulty := withDisks(3)
		c := servertest.Start(t, faulty, servertest.WithData(t.TempDir()), servertest.WithTLS(authority, "n1", "n2", "n3"))
		s := &secured{t, authority, c}
		root := s.with(authority, authority.Issue(candor.PartyClient, "root"), "root")
		_, err := root.Access("").Open(t.Context(), client.Opening{Actor: "root", Token: client.NewToken(), Expires: time.Now().Add(time.Hour)})
		noError(t, err)
		victim := c.Follower()
		d.arm(victim.Name(), 'A')
		markedWrite(t, c, d, root, "poisoned", victim)
		c.Until("it has what was written", func() bool {
			v, err := victim.Machine().View().Get(refOf("poisoned"), 0)
			return err == nil && v != nil && bytes.Contains(v.Data, []byte(mark)) && victim.Condition().Mode == candor.ModeHealthy
		})
		wantEqualNow(t, c)
	})
}
