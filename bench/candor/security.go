package candor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/identity"

	"github.com/candor-plane/candor/bench/system"
)

const (
	// administrator opens access control and declares what is measured; actor, the
	// load's client, has loadRole alone.
	administrator = "bench-admin"
	loadRole      = "bench"
	// tokenLife is that of the token that opening makes; nobody uses it.
	tokenLife = time.Hour
)

// credentials are the certificates of one secured cluster; of a plain one they are
// the zero value.
type credentials struct {
	servers []identity.Files
	clients map[string]*identity.Source // by actor
}

// certify has the binary make an authority, the servers' data directories with a
// certificate for each, and certificates for the clients, all below dir.
func (s *System) certify(ctx context.Context, dir string) (_ credentials, err error) {
	authority := filepath.Join(dir, "tls")
	made := credentials{clients: map[string]*identity.Source{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, made.close())
		}
	}()
	if _, err := s.tls(ctx, "init", "--dir", authority); err != nil {
		return credentials{}, err
	}
	for i := range system.Members {
		files, err := s.tls(ctx, "issue", "server", "--dir", authority, "--name", memberName(i), "--data", filepath.Join(dir, memberName(i)))
		if err != nil {
			return credentials{}, err
		}
		made.servers = append(made.servers, files)
	}
	for _, name := range []string{administrator, actor} {
		files, err := s.tls(ctx, "issue", "client", name, "--dir", authority)
		if err != nil {
			return credentials{}, err
		}
		if made.clients[name], err = identity.Open(files, identity.Options{Logger: hclog.NewNullLogger()}); err != nil {
			return credentials{}, err
		}
	}
	return made, nil
}

// tls runs `candor tls` and answers the files that it says it wrote.
func (s *System) tls(ctx context.Context, args ...string) (identity.Files, error) {
	out, err := exec.CommandContext(ctx, s.binary, append(append([]string{"tls"}, args...), "-o", "json")...).Output()
	if err != nil {
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, failed.Stderr)
		}
		return identity.Files{}, fmt.Errorf("candor tls %s: %w", args[0], err)
	}
	var wrote struct {
		CA   string `json:"ca"`
		Cert string `json:"cert"`
		Key  string `json:"key"`
	}
	if err := json.Unmarshal(out, &wrote); err != nil {
		return identity.Files{}, fmt.Errorf("candor tls %s: read what it printed: %w", args[0], err)
	}
	return identity.Files{CA: wrote.CA, Cert: wrote.Cert, Key: wrote.Key}, nil
}

func (c credentials) secured() bool { return len(c.servers) > 0 }

// flags are what server i is told of its certificate.
func (c credentials) flags(i int) []string {
	if !c.secured() {
		return nil
	}
	return []string{"--tls-ca", c.servers[i].CA, "--tls-cert", c.servers[i].Cert, "--tls-key", c.servers[i].Key}
}

// config is that of a client which acts as actor and, in a secured cluster, proves
// it.
func (c *cluster) config(actor string, endpoints ...string) client.Config {
	return client.Config{Endpoints: endpoints, Actor: actor, TLS: c.credentials.clients[actor]}
}

// close ends the looking at the clients' files.
func (c credentials) close() error {
	var failures []error
	for _, source := range c.clients {
		if source != nil {
			failures = append(failures, source.Close())
		}
	}
	return errors.Join(failures...)
}

// access is what the load's client may do: what experiments do, and read the
// namespace by which a connection is tried.
var access = []*candor.Object{
	{
		APIVersion: candor.APIVersion, Kind: "Role", Metadata: candor.Metadata{Name: loadRole},
		Spec: []byte(`{"rules":[{"verbs":["get","list","watch","create","update"],"kinds":["` + string(kindName) + `"],"namespaces":["` + system.Namespace + `"]},` +
			`{"verbs":["get"],"kinds":["` + string(candor.KindNamespaces) + `"]}]}`),
	},
	{
		APIVersion: candor.APIVersion, Kind: "RoleBinding", Metadata: candor.Metadata{Name: loadRole},
		Spec: []byte(`{"role":"` + loadRole + `","subjects":["` + actor + `"]}`),
	},
}

// grant opens access control and binds the load's client to its role.
func grant(ctx context.Context, admin *client.Client) error {
	opening := client.Opening{Actor: administrator, Token: client.NewToken(), Expires: time.Now().Add(tokenLife)}
	if _, err := admin.Access("").Open(ctx, opening); err != nil {
		return err
	}
	for _, o := range access {
		if _, err := admin.Create(ctx, o); err != nil {
			return fmt.Errorf("grant the load's role: %w", err)
		}
	}
	return nil
}

// awaitGranted returns once every server knows the load's client by its
// certificate and judges it by its role.
func (c *cluster) awaitGranted(ctx context.Context) error {
	load, err := client.New(c.config(actor, c.addresses...))
	if err != nil {
		return err
	}
	defer func() { _ = load.Close() }()
	for member, address := range c.addresses {
		for {
			self, err := load.Access(address).WhoAmI(ctx)
			if err == nil && self.AccessEpoch > 0 && self.Proof == candor.ProofCertificate && slices.Contains(self.Roles, loadRole) {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("await the load's role at server %d, which knows the load as %+v: %w", member, self, errors.Join(ctx.Err(), err, c.group.Err()))
			case <-time.After(pollInterval):
			}
		}
	}
	return nil
}
