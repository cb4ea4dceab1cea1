package cli_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
)

// The ring of a server of the shelf keeps no rule: a refusal comes only where the
// transcript orders one. It begins with one key.
const firstKey = "00000000000000aa"

func (n node) ring() []client.GossipKey {
	n.shelf.asking.Lock()
	defer n.shelf.asking.Unlock()
	if _, ok := n.shelf.rings[n.address]; !ok {
		n.shelf.rings[n.address] = []client.GossipKey{{Fingerprint: firstKey, Primary: true}}
	}
	return slices.Clone(n.shelf.rings[n.address])
}

func (n node) setRing(keys []client.GossipKey) {
	n.shelf.asking.Lock()
	defer n.shelf.asking.Unlock()
	n.shelf.rings[n.address] = keys
}

func holds(fingerprint string) func(client.GossipKey) bool {
	return func(k client.GossipKey) bool { return k.Fingerprint == fingerprint }
}

func (n node) GossipKeys(context.Context) ([]client.GossipKey, error) {
	if err := n.refuse("keys"); err != nil {
		return nil, err
	}
	return n.ring(), nil
}

func (n node) AddGossipKey(_ context.Context, key string) (*client.GossipKeyChange, error) {
	if err := n.refuse("add"); err != nil {
		return nil, err
	}
	fingerprint, err := client.GossipFingerprint(key)
	if err != nil {
		return nil, err
	}
	ring := n.ring()
	if slices.ContainsFunc(ring, holds(fingerprint)) {
		return &client.GossipKeyChange{Fingerprint: fingerprint}, nil
	}
	n.setRing(append(ring, client.GossipKey{Fingerprint: fingerprint}))
	return &client.GossipKeyChange{Fingerprint: fingerprint, Changed: true}, nil
}

func (n node) UseGossipKey(_ context.Context, fingerprint string) (*client.GossipKeyChange, error) {
	if err := n.refuse("use"); err != nil {
		return nil, err
	}
	ring := n.ring()
	change := &client.GossipKeyChange{Fingerprint: fingerprint}
	for i := range ring {
		is := ring[i].Fingerprint == fingerprint
		change.Changed = change.Changed || is && !ring[i].Primary
		ring[i].Primary = is
	}
	n.setRing(ring)
	return change, nil
}

func (n node) RemoveGossipKey(_ context.Context, fingerprint string) (*client.GossipKeyChange, error) {
	if err := n.refuse("forget"); err != nil {
		return nil, err
	}
	ring := n.ring()
	left := slices.DeleteFunc(slices.Clone(ring), holds(fingerprint))
	n.setRing(left)
	return &client.GossipKeyChange{Fingerprint: fingerprint, Changed: len(left) < len(ring)}, nil
}

// audited is what the servers have on record, n2 a second after n1 each.
var audited = []string{
	`{"time":"2026-11-20T12:00:0%.000000001Z","node":"NODE","sequence":1,"actor":"ana","authenticatedBy":"token","source":"127.0.0.1:5","method":"/candor.v1.ObjectService/Create","verb":"create","kind":"widgets.shop.example","namespace":"default","name":"web","section":"spec","verdict":"ALLOWED"}`,
	`{"time":"2026-11-20T12:00:1%.000000000Z","node":"NODE","sequence":2,"actor":"eve","authenticatedBy":"token","method":"/candor.v1.ObjectService/UpdateStatus","verb":"update","kind":"widgets.shop.example","namespace":"default","name":"web","section":"status","verdict":"DENIED","reason":"FORBIDDEN","message":"eve may not (FORBIDDEN)"}`,
	`{"time":"2026-11-20T12:00:2%.000000000Z","node":"NODE","sequence":3,"verdict":"LOST","count":12,"message":"the disk was full"}`,
	`{"time":"2026-11-20T12:00:3%.000000000Z","node":"NODE","sequence":4,"actor":"anonymous","authenticatedBy":"none","source":"10.0.0.9:1","method":"tls-handshake","verdict":"DENIED","reason":"UNAUTHENTICATED"}`,
}

func (n node) TailAudit(_ context.Context, q client.AuditQuery, each func([]byte) error) error {
	n.shelf.log = append(n.shelf.log, "tail the audit log of "+n.address+": "+strings.TrimSpace(strings.Join([]string{q.Actor, q.Verdict, q.Method, q.Kind}, " ")))
	if err := n.refuse("audit"); err != nil {
		return err
	}
	name, second := "n1", "0"
	if n.follows() {
		name, second = "n2", "1"
	}
	for i, line := range audited {
		if q.Last >= 0 && i < len(audited)-q.Last {
			continue
		}
		if err := each([]byte(strings.NewReplacer("NODE", name, "%", second).Replace(line))); err != nil {
			return err
		}
	}
	if q.Follow {
		return n.refuse("followed")
	}
	return nil
}

// run runs a command line on the shelf and returns its exit code, stdout and
// stderr.
func (s *shelf) run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	f := &cli.Factory{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr, Version: "v0", Flags: &cli.Flags{},
		Getenv: func(string) string { return "" }, Now: func() time.Time { return start },
		Connect: s.connect,
	}
	code = cli.Run(t.Context(), f, append(args, "--server", "127.0.0.1:7101"))
	return code, stdout.String(), stderr.String()
}

// TestARotationGoesOnFromWhereverItStopped: at every call of every step on either
// server it may fail, before or after the server did what it was asked; at each
// moment all servers understand one another, and the same command ends it.
func TestARotationGoesOnFromWhereverItStopped(t *testing.T) {
	servers := []string{"127.0.0.1:7101", "127.0.0.1:7102"}
	for _, verb := range []string{"keys", "add", "use", "forget", "members"} {
		for _, at := range append(servers, "") {
			for after := range 2 {
				t.Run(verb+"@"+at+" "+[]string{"first", "second"}[after], func(t *testing.T) {
					s := newShelf()
					s.reachable = true
					file := filepath.Join(t.TempDir(), "new.key")
					name := verb
					if at != "" {
						name += "@" + at
					}
					for range after {
						s.refusals[name] = append(s.refusals[name], nil)
					}
					s.refusals[name] = append(s.refusals[name], &candor.Error{Reason: candor.ReasonUnavailable, Message: "it does not answer"})
					code, out, errs := s.run(t, "gossip", "keys", "rotate", "--key-file", file)
					s.wantUnderstanding(t, servers)
					if failed := len(s.refusals[name]) == 0; failed && (code != candor.ExitUnavailable || !strings.Contains(errs, "try:") || out != "") {
						t.Errorf("exit %d\n%s%s", code, out, errs)
					}
					s.refusals = map[string][]error{}
					code, out, errs = s.run(t, "gossip", "keys", "rotate", "--key-file", file)
					if code != candor.ExitDone {
						t.Fatalf("again: exit %d\n%s%s", code, out, errs)
					}
					text, err := os.ReadFile(file)
					must(t, err)
					want, err := client.GossipFingerprint(string(text))
					must(t, err)
					for _, address := range servers {
						if ring := (node{s, address}).ring(); len(ring) != 1 || ring[0].Fingerprint != want || !ring[0].Primary {
							t.Errorf("%s ends with %+v, want %s alone", address, ring, want)
						}
					}
				})
			}
		}
	}
}

func (s *shelf) wantUnderstanding(t *testing.T, servers []string) {
	t.Helper()
	for _, from := range servers {
		for _, k := range (node{s, from}).ring() {
			for _, to := range servers {
				if k.Primary && !slices.ContainsFunc((node{s, to}).ring(), holds(k.Fingerprint)) {
					t.Errorf("%s does not understand %s, which sends with %s", to, from, k.Fingerprint)
				}
			}
		}
	}
}

// joining is a ring at which a server joins the cluster while a key is added.
type joining struct {
	node
	shelf *shelf
}

func (j joining) AddGossipKey(ctx context.Context, key string) (*client.GossipKeyChange, error) {
	j.shelf.configuration++
	return j.node.AddGossipKey(ctx, key)
}

// TestARotationStopsWhenAMemberJoins: the new one lacks the key that all would
// send with.
func TestARotationStopsWhenAMemberJoins(t *testing.T) {
	s := newShelf()
	s.reachable = true
	code, out, errs := s.run(t, "gossip", "keys", "rotate")
	if code != candor.ExitDone || !strings.Contains(errs, "No file holds the key") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	before := (node{s, "127.0.0.1:7101"}).ring()
	s.joining = true
	code, out, errs = s.run(t, "gossip", "keys", "rotate")
	if code != candor.ExitConflict || !strings.Contains(errs, "have changed meanwhile") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if ring := (node{s, "127.0.0.1:7101"}).ring(); len(ring) != 2 || ring[0] != before[0] {
		t.Errorf("n1 has %+v, had %+v", ring, before)
	}
}

// TestAGossipKeyIsNeverPrinted, whatever becomes of the command that has it.
func TestAGossipKeyIsNeverPrinted(t *testing.T) {
	key := client.NewGossipKey()
	for name, content := range map[string]string{"one": key + "\n", "cut": key[:20], "two": key + "\n" + key + "\n", "wrong": key[:42] + "!=\n"} {
		path := filepath.Join(t.TempDir(), "key")
		must(t, os.WriteFile(path, []byte(content), 0o600))
		for _, command := range []string{"add", "rotate"} {
			s := newShelf()
			s.reachable = true
			s.refusals["add@127.0.0.1:7102"] = []error{errors.New("broken")}
			code, out, errs := s.run(t, "gossip", "keys", command, "--key-file", path)
			if code == candor.ExitDone || strings.Contains(out+errs, key[:20]) {
				t.Errorf("%s, %s: exit %d\n%s%s", name, command, code, out, errs)
			}
		}
	}
}

// TestAKeyThatIsDrawnIsKeptBeforeItIsUsed, in a file that nobody else may read.
func TestAKeyThatIsDrawnIsKeptBeforeItIsUsed(t *testing.T) {
	s := newShelf()
	s.reachable = true
	path := filepath.Join(t.TempDir(), "key")
	s.refusals["add"] = []error{&candor.Error{Reason: candor.ReasonUnavailable, Message: "it does not answer"}}
	if code, out, errs := s.run(t, "gossip", "keys", "rotate", "--key-file", path); code != candor.ExitUnavailable {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
}
