package etcd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"

	"github.com/candor-plane/candor/bench/system"
)

const (
	// administrator is whom etcd wants as such; loadUser has a role of the same
	// name, for what begins with keyRange, alone.
	administrator = "root"
	loadUser      = "bench"
	keyRange      = "/" + system.Group + "/"
	// foreignKey is in nobody's range.
	foreignKey = "/foreign"
	// trustDomain is the name of every secured cluster in its certificates: each
	// has an authority of its own.
	trustDomain = "etcd-bench"
	validFor    = 24 * time.Hour
)

// credentials are the certificates of one secured cluster, made by the code that
// makes Candor's: the same keys and signatures. Of a plain one they are the zero
// value.
type credentials struct {
	members []identity.Files
	clients map[string]*tls.Config // by user
}

// certify makes an authority, writes the members' certificates below dir and keeps
// those of the clients.
func certify(dir string) (credentials, error) {
	now := time.Now()
	authority, err := identity.NewAuthority(trustDomain, validFor, now)
	if err != nil {
		return credentials{}, err
	}
	made := credentials{clients: map[string]*tls.Config{}}
	for i := range system.Members {
		// Unlike Candor's, etcd's parties look at the address.
		cert, key, err := authority.Issue(party(candor.PartyServer, memberName(i)), validFor, now, []string{"127.0.0.1"})
		if err != nil {
			return credentials{}, err
		}
		base := filepath.Join(dir, "tls", memberName(i))
		files := identity.Files{CA: base + "-ca.crt", Cert: base + ".crt", Key: base + ".key"}
		if err := identity.WriteFiles(files, identity.Content{CA: authority.CertPEM(), Cert: cert, Key: key}); err != nil {
			return credentials{}, err
		}
		made.members = append(made.members, files)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(authority.Certificate())
	for _, user := range []string{administrator, loadUser} {
		cert, key, err := authority.Issue(party(candor.PartyClient, user), validFor, now, nil)
		if err != nil {
			return credentials{}, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return credentials{}, fmt.Errorf("read the certificate of %s: %w", user, err)
		}
		made.clients[user] = &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: trusted, Certificates: []tls.Certificate{pair}}
	}
	return made, nil
}

// party's common name is the name of a client, which is what etcd takes for its
// user.
func party(p candor.Party, name string) candor.Identity {
	return candor.Identity{Cluster: trustDomain, Party: p, Name: name}
}

func (c credentials) secured() bool { return len(c.members) > 0 }

func (c credentials) scheme() string {
	if c.secured() {
		return "https://"
	}
	return "http://"
}

// grant makes the users, who have no passwords, the load's role, and turns
// authorisation on.
func (c *cluster) grant(ctx context.Context) error {
	client, err := c.dial(administrator, c.addresses)
	if err != nil {
		return err
	}
	defer client.Close()
	byCertificate := &clientv3.UserAddOptions{NoPassword: true}
	steps := []func() error{
		func() error { _, err := client.RoleAdd(ctx, loadUser); return err },
		func() error {
			_, err := client.RoleGrantPermission(ctx, loadUser, keyRange, clientv3.GetPrefixRangeEnd(keyRange), clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := client.RoleAdd(ctx, administrator); return err },
	}
	for _, user := range []string{loadUser, administrator} {
		steps = append(steps,
			func() error { _, err := client.UserAddWithOptions(ctx, user, "", byCertificate); return err },
			func() error { _, err := client.UserGrantRole(ctx, user, user); return err },
		)
	}
	steps = append(steps, func() error { _, err := client.AuthEnable(ctx); return err })
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("turn authorisation on: %w", err)
		}
	}
	return nil
}

// awaitGranted returns once the member refuses the load's client what its role
// does not allow.
func (c *cluster) awaitGranted(ctx context.Context, member int) error {
	client, err := c.dial(loadUser, c.addresses[member:member+1])
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		_, err := client.Get(ctx, foreignKey, clientv3.WithSerializable())
		if errors.Is(err, rpctypes.ErrPermissionDenied) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("await authorisation at member %d: %w", member, errors.Join(ctx.Err(), err, c.group.Err()))
		case <-time.After(pollInterval):
		}
	}
}
