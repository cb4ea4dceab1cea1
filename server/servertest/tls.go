package servertest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/server"
)

// Authority issues the certificates of a cluster in a folder. Use WithData beside
// it: a server's certificate names the ID that its data directory was born with.
type Authority struct {
	t      testing.TB
	folder string
	ca     *identity.Authority
}

// NewAuthority makes one for a cluster of that ID.
func NewAuthority(t testing.TB, cluster string) *Authority {
	t.Helper()
	ca, err := identity.NewAuthority(cluster, 24*time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{t: t, folder: t.TempDir(), ca: ca}
}

// Issue makes the files of a party.
func (a *Authority) Issue(party candor.Party, name string) identity.Files {
	a.t.Helper()
	cert, key, err := a.ca.Issue(candor.Identity{Cluster: a.ca.Cluster(), Party: party, Name: name}, time.Hour, time.Now(), nil)
	if err != nil {
		a.t.Fatal(err)
	}
	at := filepath.Join(a.folder, string(party)+"-"+name)
	if err := os.MkdirAll(at, 0o700); err != nil {
		a.t.Fatal(err)
	}
	files := identity.Files{CA: filepath.Join(at, "ca.crt"), Cert: filepath.Join(at, "own.crt"), Key: filepath.Join(at, "own.key")}
	if err := identity.WriteFiles(files, identity.Content{CA: a.ca.CertPEM(), Cert: cert, Key: key}); err != nil {
		a.t.Fatal(err)
	}
	return files
}

// Source are a party's files, open until the test ends.
func (a *Authority) Source(files identity.Files) *identity.Source {
	a.t.Helper()
	source, err := identity.Open(files, identity.Options{Logger: hclog.NewNullLogger()})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() {
		if err := source.Close(); err != nil {
			a.t.Error(err)
		}
	})
	return source
}

// WithTLS has the servers n1, n2, … prove who they are. Clients need a source of
// their own: Client makes none.
func WithTLS(a *Authority, names ...string) Option {
	return func(o *options) {
		for _, name := range names {
			o.changes[name] = append(o.changes[name], func(c *server.Config) {
				id, err := server.ServerID(c.Data, c.Name, c.LogStore)
				if err != nil {
					a.t.Fatal(err)
				}
				c.TLS = a.Issue(candor.PartyServer, id)
			})
		}
	}
}
