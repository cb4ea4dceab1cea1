package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
	"github.com/candor-plane/candor/server/servertest"
)

// site is a cluster that lives, and the command line of somebody in front of it.
type site struct {
	t       *testing.T
	cluster *servertest.Cluster
	client  *client.Client
	data    string
	folder  string
	context string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, data: t.TempDir(), folder: t.TempDir()}
	s.cluster = servertest.Start(t, servertest.WithData(s.data))
	s.client = s.cluster.Client(t)
	for i := range 12 {
		s.create(fmt.Sprintf("team-%d", i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.client.Create(ctx, team("team-3")); candor.ReasonOf(err) != candor.ReasonAlreadyExists {
		t.Fatal(err)
	}
	s.cluster.Until("every server has applied everything", func() bool {
		for _, x := range s.cluster.Servers() {
			if x.Machine().View().Token() != s.cluster.Leader().Machine().View().Token() {
				return false
			}
		}
		return true
	})
	s.context = filepath.Join(t.TempDir(), "context.yaml")
	s.run(0, "context set site --server n1:1")
	return s
}

func team(name string) *candor.Object {
	return &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: name}, Spec: []byte(`{}`)}
}

func (s *site) create(name string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.client.Create(ctx, team(name)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) remote(cli.Endpoint) (*cli.Remote, error) {
	c := s.client
	return &cli.Remote{
		Servers: []string{"n1", "n2", "n3"}, Reader: c, Writer: c, Cluster: c.Cluster(), Keeper: c.Cluster(), Tenures: c, Transitions: c.Transitions(),
		Node:    func(address string) cli.NodeReader { return c.Diagnostics(address) },
		Journal: func(address string) cli.JournalReader { return c.Diagnostics(address) },
		Audit:   func(address string) cli.AuditReader { return c.Node(address) },
		Close:   func() error { return nil },
	}, nil
}

// run runs a command line; want are patterns of lines that it must print, in order, not a
// pattern that it must not where it begins with "!". @ stands for the site's folder.
func (s *site) run(exit int, line string, want ...string) {
	s.t.Helper()
	var out, errs bytes.Buffer
	f := &cli.Factory{
		In: strings.NewReader(""), Out: &out, Err: &errs, Version: "v0", Flags: &cli.Flags{},
		Getenv: func(name string) string { return map[string]string{"CANDOR_CONTEXT": s.context}[name] }, Now: time.Now,
		Sleep:   func(context.Context, time.Duration) error { return errors.New("it sleeps") },
		Connect: s.remote,
	}
	words := strings.Fields(strings.ReplaceAll(line, "@", s.folder+"/"))
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "%", "@")
	}
	if got := cli.Run(s.t.Context(), f, words); got != exit {
		s.t.Errorf("candor %s: exit code %d, want %d\n%s%s", line, got, exit, out.String(), errs.String())
	}
	text := out.String() + errs.String()
	rest := text
	for _, pattern := range want {
		if not, ok := strings.CutPrefix(pattern, "!"); ok {
			if regexp.MustCompile("(?m)" + not).MatchString(text) {
				s.t.Errorf("candor %s says %q:\n%s", line, not, text)
			}
			continue
		}
		at := regexp.MustCompile("(?m)" + pattern).FindStringIndex(rest)
		if at == nil {
			s.t.Errorf("candor %s does not say %q after the pattern before:\n%s", line, pattern, text)
			continue
		}
		rest = rest[at[1]:]
	}
}

func TestARunningServersLogIsReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.run(0, "replay n2", `^Replayed  n2 \(n2\), from the log's beginning, entries 1 to \d+$`, `^Turns     \d+ in \d+ entries, [1-9]\d* refused`,
			`^State     \d+:\d+/\d+ · digest [0-9a-f]{32}$`, `^Compared  \d\d+ digests, 0 differ$`, `^Verdict   PASS$`)
		s.run(0, "replay n2 -o json", `"verdict": "PASS"`)
		s.run(0, "replay n2 --step", `^\d+:\d+  Write by \S+  CHANGED`, `^    create namespaces/team-3$`, `^    \+ namespaces/team-3 @\d+$`,
			`ALREADY_EXISTS`, `^    refused: .*team-3`, `^    digest [0-9a-f]{32}$`, `^Verdict   PASS$`)
		s.run(0, "replay n2 --step -o json", `^\{"index":1,.*"command":"configuration"`, `^\{"report":\{.*"verdict":"PASS"`)
		s.run(0, "replay n2 --show namespaces/team-5", `^  name: team-5$`, `^Verdict   PASS$`)
		s.run(3, "replay n2 --show namespaces/team-99", `there is no namespaces/team-99 in the state at`)
		s.run(1, "replay n2 --show gadget/x", `no kind "gadget"`)
		s.run(3, "replay n2 --to 99999", `its log ends at entry`)
		s.run(1, "replay n2 --verify-snapshots", `INCONCLUSIVE: the log goes on from one place alone`)
		s.run(0, "replay n2 --diff n3", `have the same state after each of \d+ entries`)
		s.run(2, "replay n2 --diff n3 --step", `--diff goes with --to alone`)
		s.run(0, "log inspect n1 --grep team-7", `create namespaces/team-7$`, `!team-8`)
		s.run(0, "log inspect n1 --around 3", `^  \d:2 `, `^> \d:3 `, `^  \d:4 `)
		s.run(0, "log inspect n1 --limit 2 -o json", `^\{"index":1,.*"type":"configuration"`, `^\{"index":2`, `!"index":3`)
		s.run(2, "log inspect n1 --grep (", `--grep`)
	})
}

func TestADigestThatIsNotTheReplaysIsAViolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		lines := "# digests\n\n9 00000000000000000000000000000000\n"
		if err := os.WriteFile(filepath.Join(s.folder, "digests"), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		s.run(8, "replay n1 --digests @digests", `^Compared  \d+ digests, 1 differ$`,
			`^DIFFERS   after entry 9: \S+/digests says 0{32}, the replay came to [0-9a-f]{32}; after entry 8 they agreed$`,
			`^Now       the server is now, at entry \d+, in the state that its log comes to`, `^Verdict   VIOLATION$`)
		if err := os.WriteFile(filepath.Join(s.folder, "digests"), []byte("9 xyz"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.run(1, "replay n1 --digests @digests", `digests:1: want an index and a digest of 32 hexadecimal digits`)
	})
}

func TestABundleIsWhatTheClusterSaysWithAServerDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		down := s.cluster.Follower().Name()
		s.cluster.Kill(down)
		s.create("after")
		up := s.cluster.Leader().Name()
		s.run(0, "debug bundle -f @plain.zip", `plain.zip: .*, from 2 of 3 servers`, down+`: UNKNOWN: everything about it: `, `UNKNOWN: metrics and goroutines: it has no debug listener`)
		s.run(0, "debug inspect @plain.zip", `every part is as it was written`, `What could not be had:`, `  `+down+`: UNKNOWN: everything about it`,
			`Left out:`, `bearer tokens, private keys and gossip keys`, `objects but findings`, `Parts:`, `nodes/n\d/status\.json`, `!log\.jsonl`)
		s.run(1, "replay @plain.zip", `it was made without data`)
		s.run(0, "debug bundle -f @data.zip --with-data", `every object of the cluster is in it`)
		s.run(4, "debug bundle -f @data.zip", `is there already`)
		s.run(0, "debug inspect @data.zip", `hold every object`, `nodes/n\d/log\.jsonl`)
		s.run(2, "replay @data.zip", `has the logs of`)
		s.run(0, "replay @data.zip%"+up, `^Verdict   PASS$`)
		s.run(0, "replay @data.zip%"+up+" --show namespaces/after", `name: after`)
		s.run(0, "replay @data.zip%"+up+" --diff "+up, `have the same state after each of`)
		s.run(0, "log inspect @data.zip%"+up+" --grep after", `create namespaces/after`)
		s.run(0, "debug bundle -f @small.zip --with-data --max-size 2Ki", `UNKNOWN: log entries \d+ to \d+: .*the bound on the bundle's size`)
		s.run(0, "debug inspect @small.zip", `INCOMPLETE`)
		s.run(0, "debug bundle -f @json.zip -o json", `"format": "candor-bundle/1"`, `"answered": false`)
		// What the dead server left is its log up to where it died.
		s.folder = s.data
		s.run(0, "replay @"+down+" --diff "+up, `have the same state after each of`)
		s.run(0, "replay @"+down, `^Note      nothing here says which entries were committed`, `INCONCLUSIVE: no digest was published`)
		s.run(1, "replay @"+up, `DATA_LOCKED`)
	})
}

func TestASourceThatIsNoneIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.folder = s.data
		s.run(3, "replay @", `is no server's data directory`, `candor replay \S+/n1`)
		s.run(3, "replay @nowhere", `there is no file or directory`)
		s.run(3, "replay bundle.zip", `there is no file or directory bundle.zip`)
		s.run(3, "replay n9", `no member is called "n9"`)
		if left, err := filepath.Glob(filepath.Join(s.data, "*")); err != nil || len(left) != 3 {
			t.Errorf("looking left %v behind, %v", left, err)
		}
		if err := os.WriteFile(filepath.Join(s.data, "x.zip"), []byte("no archive"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.run(8, "replay @x.zip", `DATA_CORRUPT`)
		s.run(8, "debug inspect @x.zip", `it is no bundle, or was cut`)
	})
}
