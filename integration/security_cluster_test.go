package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/identity"
)

// guardedID is the cluster's ID, as its certificates say it.
const guardedID = "guarded"

// guarded is a cluster of three servers that prove who they are and keep an
// account of what they deny, and in which access control is open. Its certificates
// and tokens are made as an operator makes them, by the command line.
type guarded struct {
	*cluster
	ctx context.Context
	// folder is the authority's.
	folder string
	// debug are the debug listeners, by server.
	debug map[*process]string
	// root is the administrator, by certificate.
	root *client.Client
}

// guard begins such a cluster.
func guard(t *testing.T, within time.Duration, flags ...string) *guarded {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	t.Cleanup(cancel)
	c := plan(t, 3, append([]string{"--auth", "--audit", "writes"}, flags...)...)
	g := &guarded{cluster: c, ctx: ctx, folder: filepath.Join(c.dir, "tls"), debug: map[*process]string{}}
	succeeds(t, "tls", "init", "--dir", g.folder, "--cluster", guardedID)
	for _, p := range c.servers {
		succeeds(t, "tls", "issue", "server", "--dir", g.folder, "--data", p.data, "--name", p.name, "--address", "127.0.0.1")
		g.debug[p] = freeAddress(t)
		p.flags = append(p.flags, "--debug", g.debug[p])
		p.flags = append(p.flags, tlsFlags(g.files(p.name))...)
	}
	g.issue(candor.PartyClient, "root")
	c.begin()
	g.cli("root", 0, "auth", "bootstrap", "--actor", "root", "--out", filepath.Join(c.dir, "root.token"), "--timeout", "20s")
	g.root = g.as("root")
	until(ctx, t, "every member has said its name", func() bool {
		members, err := g.root.Cluster().Members(ctx)
		return err == nil && len(members.Members) == len(c.servers) &&
			!slices.ContainsFunc(members.Members, func(m client.Member) bool { return m.Name == "" || m.APIAddress == "" })
	})
	for _, p := range c.servers {
		g.heard(p)
	}
	return g
}

// heard waits until a server's view has all that was done up to now.
func (g *guarded) heard(p *process) {
	g.t.Helper()
	g.answers(g.ctx, g.root, p)
	until(g.ctx, g.t, p.name+" has the view of now", func() bool {
		_, err := g.root.List(g.ctx, candor.KindRoles, client.ListOptions{}, client.OnEndpoint(p.api), client.WithFreshness(candor.FreshnessBestEffort))
		return err == nil
	})
}

// issue has the authority make the files of a party that is no server.
func (g *guarded) issue(party candor.Party, names ...string) {
	g.t.Helper()
	for _, name := range names {
		succeeds(g.t, "tls", "issue", string(party), name, "--dir", g.folder)
	}
}

// files are those of a party, where the authority puts them.
func (g *guarded) files(name string) identity.Files {
	return filesIn(filepath.Join(g.folder, name), name)
}

func filesIn(folder, name string) identity.Files {
	return identity.Files{CA: filepath.Join(folder, "ca.crt"), Cert: filepath.Join(folder, name+".crt"), Key: filepath.Join(folder, name+".key")}
}

// trusting are the files of somebody who has no certificate.
func (g *guarded) trusting() identity.Files {
	return identity.Files{CA: filepath.Join(g.folder, "ca.crt")}
}

func tlsFlags(files identity.Files) []string {
	flags := []string{"--tls-ca", files.CA}
	if files.Cert != "" {
		flags = append(flags, "--tls-cert", files.Cert, "--tls-key", files.Key)
	}
	return flags
}

// as is a client that has the party's certificate.
func (g *guarded) as(name string) *client.Client {
	g.t.Helper()
	return g.with(g.files(name), client.Config{})
}

// with is a client that has these files, and what else the configuration says.
func (g *guarded) with(files identity.Files, config client.Config) *client.Client {
	g.t.Helper()
	config.TLS = source(g.t, files)
	if config.Endpoints == nil {
		config.Endpoints = g.addresses()
	}
	k, err := client.New(config)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = k.Close() })
	return k
}

// source are files that are looked at until the test ends.
func source(t *testing.T, files identity.Files) *identity.Source {
	t.Helper()
	s, err := identity.Open(files, identity.Options{Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// cli runs a command against the cluster as a party that has a certificate, and
// wants it to end with that exit code.
func (g *guarded) cli(name string, exit int, args ...string) string {
	g.t.Helper()
	return g.cliWith(g.files(name), exit, args...)
}

func (g *guarded) cliWith(files identity.Files, exit int, args ...string) string {
	g.t.Helper()
	args = append(slices.Clip(args), "--server", strings.Join(g.addresses(), ","))
	code, out := command(g.t, append(args, tlsFlags(files)...)...)
	if code != exit {
		g.t.Fatalf("candor %s ended with %d, want %d: %s", strings.Join(args, " "), code, exit, out)
	}
	return out
}

// succeeds runs a command that must.
func succeeds(t *testing.T, args ...string) string {
	t.Helper()
	code, out := command(t, args...)
	if code != candor.ExitDone {
		t.Fatalf("candor %s ended with %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}

// token gives an actor a role, and a token that every server knows.
func (g *guarded) token(actor, role string) string {
	g.t.Helper()
	if role != "" {
		g.bind(actor, role)
	}
	path := filepath.Join(g.dir, actor+".token")
	g.cli("root", 0, "auth", "token", "create", "--actor", actor, "--out", path)
	text, err := os.ReadFile(path)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, p := range g.servers {
		g.heard(p)
	}
	return strings.TrimSpace(string(text))
}

func (g *guarded) bind(actor, role string) {
	g.t.Helper()
	spec := fmt.Sprintf(`{"role":%q,"subjects":[%q]}`, role, actor)
	binding := &candor.Object{APIVersion: candor.APIVersion, Kind: "RoleBinding", Metadata: candor.Metadata{Name: actor + "-" + role}, Spec: []byte(spec)}
	if _, err := g.root.Create(g.ctx, binding); err != nil {
		g.t.Fatal(err)
	}
}

// state is all that a refusal must not change: every object with its revision,
// and who the members are.
func (g *guarded) state() []string {
	g.t.Helper()
	var lines []string
	for _, kind := range []candor.KindName{candor.KindNamespaces, candor.KindKinds, candor.KindRoles, candor.KindRoleBindings, candor.KindTokens} {
		for o, err := range g.root.All(g.ctx, kind, client.ListOptions{}) {
			if err != nil {
				g.t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%s/%s at %d", kind, o.Metadata.Name, o.Metadata.ResourceVersion))
		}
	}
	members, err := g.root.Cluster().Members(g.ctx)
	if err != nil {
		g.t.Fatal(err)
	}
	lines = append(lines, fmt.Sprintf("configuration %d", members.ConfigurationIndex))
	for _, m := range members.Members {
		lines = append(lines, fmt.Sprintf("member %s %s at %s, %s", m.ServerID, m.Name, m.RaftAddress, m.APIAddress))
	}
	return lines
}
