package servertest_test

import (
	"os"
	"path/filepath"
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
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// TestWhereServersHaveCertificatesATokenIsSpentTooIfOneIsBrought, so that none stays
// good by accident; it does not let a server join for another.
func TestWhereServersHaveCertificatesATokenIsSpentTooIfOneIsBrought(t *testing.T) {
	file := filepath.Join(t.TempDir(), "n4.token")
	synctest.Test(t, func(t *testing.T) {
		authority := servertest.NewAuthority(t, "c-1")
		c := servertest.Start(t, servertest.WithData(t.TempDir()), servertest.WithTLS(authority, "n1", "n2", "n3", "n4", "n5"),
			servertest.WithServer("n4", func(c *server.Config) { c.JoinTokenFile = file }))
		s := &secured{t, authority, c}
		files := authority.Issue(candor.PartyClient, "root")
		root := s.with(authority, files, "")
		_, err := root.Access("").Open(t.Context(), client.Opening{Actor: "root", Token: client.NewToken(), Expires: time.Now().Add(time.Hour)})
		noError(t, err)
		j := &joining{keys: &keys{t: t, cluster: c, root: root}}

		b := j.joinToken(time.Now().Add(time.Hour))
		as := func(files identity.Files, serverID, token string) error {
			conn, err := grpc.NewClient("passthrough:///"+c.Leader().Name(), grpc.WithContextDialer(c.Dialer()),
				grpc.WithTransportCredentials(credentials.NewTLS(authority.Source(files).Client(identity.OneOf(candor.PartyServer), "h2"))))
			noError(t, err)
			defer func() { noError(t, conn.Close()) }()
			_, err = candorv1.NewClusterServiceClient(conn).Join(t.Context(), &candorv1.JoinRequest{
				ServerId: serverID, Name: "n9", RaftAddress: "n9/raft", ApiAddress: "n9", ClusterId: "c-1", FeatureLevel: candor.FeatureLevel, JoinToken: token,
			})
			return convert.ErrorFromStatus(err)
		}
		wantReason(t, as(authority.Issue(candor.PartyServer, "id-of-n8"), "id-of-n9", b.String()), candor.ReasonForbidden)
		wantReason(t, as(authority.Issue(candor.PartyServer, "id-of-n9"), "id-of-n9", client.NewToken().String()), candor.ReasonUnauthenticated)
		if o := j.stored(b); o == nil || o.Status != nil {
			t.Errorf("the token was spent on a refusal: %+v", o)
		}

		noError(t, os.WriteFile(file, []byte(b.String()), 0o600))
		c.AddServer()
		if j.stored(b) != nil {
			t.Error("the token that n4 brought is still good")
		}
		c.AddServer() // n5, by its certificate alone

		// Whoever has a token and no certificate of a server gets a member listed, and
		// nothing from it: Raft takes servers alone.
		noError(t, as(files, "id-of-n9", j.joinToken(time.Now().Add(time.Hour)).String()))
		if m := j.configuration(); len(m.Servers) != 6 || len(m.Voters()) != 3 {
			t.Errorf("%+v", m)
		}
	})
}
