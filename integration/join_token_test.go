package integration

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// TestATokenLetsOneServerJoin a cluster whose servers have no certificates and whose
// access control is on: one server, once, and no other before or after.
func TestATokenLetsOneServerJoin(t *testing.T) {
	c := start(t, 3, "--auth", "--audit", "writes")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	servers := strings.Join(c.addresses(), ",")
	root, token := filepath.Join(c.dir, "root.token"), filepath.Join(c.dir, "n4.token")
	cli := func(args ...string) string {
		return succeeds(t, append(args, "--server", servers, "--timeout", "20s")...)
	}
	cli("auth", "bootstrap", "--actor", "root", "--out", root)
	k := bearing(t, root, c.addresses())
	told := cli("auth", "token", "create", "--join", "--ttl", "1h", "--out", token, "--token-file", root)
	if want := "candor server --name NAME --data DIR --join " + servers + " --join-token-file " + token; !strings.Contains(told, want) {
		t.Errorf("what to run there is not told: want %q in %s", want, told)
	}
	secret := read(t, token)

	stranger := newProcess(t, c.dir, "n0", "--join", servers)
	stranger.begin(t)
	stranger.endsWith(t, candor.ReasonUnauthenticated, "candor auth token create --join", "--join-token-file")
	c.wantMembers(ctx, k, 3, 3)

	joined := c.join("--join-token-file", token)
	c.answers(ctx, bearing(t, root, []string{joined.api}), joined)
	c.wantMembers(ctx, k, 4, 3)
	c.promote(ctx, k, joined)
	until(ctx, t, "the token is gone", func() bool {
		return !strings.Contains(cli("auth", "token", "list", "--token-file", root, "-o", "name"), accessorOf(secret))
	})

	replay := newProcess(t, c.dir, "n5", "--join", servers, "--join-token-file", token)
	replay.begin(t)
	replay.endsWith(t, candor.ReasonUnauthenticated)
	c.wantMembers(ctx, k, 4, 4)
	g := guarded{cluster: c, ctx: ctx}
	g.accounts(auditRecord{Actor: candor.ActorAnonymous, Name: "n5", Method: "/candor.v1.ClusterService/Join", Reason: candor.ReasonUnauthenticated}, c.servers...)

	// As a member it needs no token.
	joined.stop(t)
	if err := os.Remove(token); err != nil {
		t.Fatal(err)
	}
	joined.begin(t)
	c.answers(ctx, bearing(t, root, []string{joined.api}), joined)
	c.wantMembers(ctx, k, 4, 4)
	c.sameDigests(ctx, k, c.servers...)
	for _, p := range append(c.servers, replay) {
		for _, path := range []string{p.log, filepath.Join(p.data, "audit", "audit.log")} {
			if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s tells the secret", path)
			}
		}
	}
}

// TestATokenForJoiningIsNotSentInTheClear, and a server that could not use its token
// does not start.
func TestATokenForJoiningIsNotSentInTheClear(t *testing.T) {
	dir := t.TempDir()
	token, broken := filepath.Join(dir, "n4.token"), filepath.Join(dir, "broken.token")
	for path, text := range map[string]string{token: client.NewToken().String(), broken: "letmein"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		flags []string
		says  string
	}{
		"in the clear":          {[]string{"--join", "192.0.2.1:7101", "--join-token-file", token}, "192.0.2.1:7101"},
		"one seed in the clear": {[]string{"--join", "127.0.0.1:7101,192.0.2.1:7101", "--join-token-file", token}, "192.0.2.1:7101"},
		"nowhere to join":       {[]string{"--bootstrap", "--join-token-file", token}, "--join"},
	} {
		t.Run(name, func(t *testing.T) {
			newProcess(t, t.TempDir(), "n4", test.flags...).refuses(t, candor.ReasonUsage, test.says)
		})
	}
	c := start(t, 1)
	for name, path := range map[string]string{"no file": filepath.Join(dir, "none"), "no token in it": broken} {
		t.Run(name, func(t *testing.T) {
			newProcess(t, t.TempDir(), "n4", "--join", c.servers[0].api, "--join-token-file", path).refuses(t, candor.ReasonUsage, "--join-token-file", path)
		})
	}
}

// bearing is a client that has the token of a file.
func bearing(t *testing.T, path string, addresses []string) *client.Client {
	t.Helper()
	k, err := client.New(client.Config{Endpoints: addresses, Token: read(t, path)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func accessorOf(token string) string { return strings.Split(token, "_")[1] }
