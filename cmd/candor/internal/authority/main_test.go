package authority_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/authority"
	"github.com/candor-plane/candor/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const cluster = "7b0c1c8a-6a53-4d3e-9d3e-0f5a2a0a7f10"

// room is a folder and a clock, which files of the moment are judged by.
type room struct {
	*testing.T
	dir string
	now time.Time
}

func newRoom(t *testing.T) *room {
	r := &room{T: t, dir: filepath.Join(t.TempDir(), "tls"), now: time.Now()}
	if _, err := authority.Init(r.dir, cluster, 1000*time.Hour, r.clock); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *room) clock() time.Time { return r.now }

func (r *room) open() *authority.Folder {
	r.Helper()
	f, err := authority.Open(r.dir, r.clock)
	if err != nil {
		r.Fatal(err)
	}
	return f
}

func (r *room) issue(party candor.Party, name string) authority.Party {
	r.Helper()
	p, err := r.open().Issue(authority.Request{
		Identity: candor.Identity{Cluster: cluster, Party: party, Name: name}, ValidFor: 100 * time.Hour, Prefix: name,
	})
	if err != nil {
		r.Fatal(err)
	}
	return p
}

func (r *room) load(p authority.Party) *identity.Material {
	r.Helper()
	m, err := identity.Load(p.Files, r.now)
	if err != nil {
		r.Fatal(err)
	}
	if len(m.Warnings) > 0 {
		r.Errorf("warnings: %q", m.Warnings)
	}
	return m
}

// accepts says whether whoever holds files like a accepts whoever holds b's.
func accepts(a, b *identity.Material) bool {
	_, err := b.Certificate.Leaf.Verify(x509.VerifyOptions{Roots: a.Pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}

// TestARotationNeverPartsParties has every party take each step's files before
// or after every other, and wants all of them to accept one another throughout.
func TestARotationNeverPartsParties(t *testing.T) {
	r := newRoom(t)
	parties := []authority.Party{r.issue(candor.PartyServer, "s1"), r.issue(candor.PartyServer, "s2"), r.issue(candor.PartyClient, "ana")}
	before := []*identity.Material{r.load(parties[0]), r.load(parties[1]), r.load(parties[2])}
	original := before[0]
	for _, step := range []struct {
		take  func(*authority.Folder) error
		state authority.State
		trust int
	}{
		{func(f *authority.Folder) error { _, err := f.Begin(2000 * time.Hour); return err }, authority.Begun, 2},
		{func(f *authority.Folder) error { _, err := f.Switch(); return err }, authority.Switched, 2},
		{func(f *authority.Folder) error { _, err := f.Finish(); return err }, authority.Steady, 1},
	} {
		r.now = r.now.Add(time.Minute)
		if err := step.take(r.open()); err != nil {
			t.Fatal(err)
		}
		if got := r.open().State(); got != step.state {
			t.Fatalf("state %s, want %s", got, step.state)
		}
		after := []*identity.Material{r.load(parties[0]), r.load(parties[1]), r.load(parties[2])}
		for i, one := range append(before, after...) {
			for j, other := range append(before, after...) {
				if !accepts(one, other) {
					t.Errorf("%s: party %d does not accept party %d (0 to 2 have the files of before, 3 to 5 those of after)", step.state, i, j)
				}
			}
		}
		if got := len(after[0].Authorities); got != step.trust {
			t.Errorf("%s: %d authorities are trusted, want %d", step.state, got, step.trust)
		}
		before = after
		// The files are as old as the clock says.
		touch(t, r.dir, r.now)
	}
	if accepts(before[0], original) {
		t.Error("a certificate of the old authority is accepted after the rotation")
	}
	if got, want := before[0].NotAfter.Sub(r.now).Round(time.Hour), 100*time.Hour; got != want {
		t.Errorf("issued anew for %s, want %s as before", got, want)
	}
}

func touch(t *testing.T, dir string, at time.Time) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, more...) {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStepsOutOfOrderOrTooSoonAreRefusedAndChangeNothing(t *testing.T) {
	r := newRoom(t)
	p := r.issue(candor.PartyServer, "s1")
	if _, err := r.open().Switch(); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("switch before begin: %v, want CONFLICT", err)
	}
	if _, err := r.open().Begin(time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := r.open().Finish(); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("finish before switch: %v, want CONFLICT", err)
	}
	was := r.load(p).Certificate.Leaf
	if _, err := r.open().Switch(); candor.ReasonOf(err) != candor.ReasonUnavailable {
		t.Errorf("switch at once: %v, want UNAVAILABLE", err)
	}
	if !r.load(p).Certificate.Leaf.Equal(was) || r.open().State() != authority.Begun {
		t.Error("a refused switch changed something")
	}
	r.now = r.now.Add(time.Minute)
	if _, err := r.open().Switch(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.open().Begin(time.Hour); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("begin while switched: %v, want CONFLICT", err)
	}
}

func TestFinishWaitsForCertificatesOfTheOldAuthority(t *testing.T) {
	r := newRoom(t)
	p := r.issue(candor.PartyServer, "s1")
	var saved [][]byte
	for _, path := range []string{p.Files.Cert, p.Files.Key} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		saved = append(saved, text)
	}
	if _, err := r.open().Begin(time.Hour); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(time.Minute)
	if _, err := r.open().Switch(); err != nil {
		t.Fatal(err)
	}
	// As if the party's folder had been brought back from a copy.
	if err := identity.WriteFiles(p.Files, identity.Content{Cert: saved[0], Key: saved[1]}); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(time.Minute)
	if _, err := r.open().Finish(); candor.ReasonOf(err) != candor.ReasonConflict || !strings.Contains(err.Error(), p.Files.Cert) {
		t.Errorf("finish: %v, want CONFLICT that names %s", err, p.Files.Cert)
	}
	if _, err := r.open().Switch(); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(time.Minute)
	if _, err := r.open().Finish(); err != nil {
		t.Error(err)
	}
	r.load(p)
}

func TestAStepThatWasInterruptedIsCompletedByRepeatingIt(t *testing.T) {
	r := newRoom(t)
	p := r.issue(candor.PartyServer, "s1")
	// A key of a beginning that never came to a bundle.
	stray, err := identity.NewAuthority(cluster, time.Hour, r.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := identity.WriteFiles(identity.Files{Key: filepath.Join(r.dir, "ca-next.key")}, identity.Content{Key: stray.KeyPEM()}); err != nil {
		t.Fatal(err)
	}
	if got := r.open().State(); got != authority.Steady {
		t.Fatalf("state %s, want steady", got)
	}
	alone, err := os.ReadFile(p.Files.CA)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.open().Begin(time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := len(r.load(p).Authorities); got != 2 {
			t.Fatalf("the party trusts %d authorities, want 2", got)
		}
		// A crash before the party had its bundle.
		if err := identity.WriteFiles(identity.Files{CA: p.Files.CA}, identity.Content{CA: alone}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.open().Begin(time.Hour); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(time.Minute)
	// A crash of the switch before it issued anything.
	if err := os.Rename(filepath.Join(r.dir, "ca-next.key"), filepath.Join(r.dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	old := r.load(p).Certificate.Leaf
	if _, err := r.open().Switch(); err != nil {
		t.Fatal(err)
	}
	if r.load(p).Certificate.Leaf.Equal(old) {
		t.Error("the certificate is still the old one")
	}
}

func TestNothingIsOverwrittenUnasked(t *testing.T) {
	r := newRoom(t)
	if _, err := authority.Init(r.dir, cluster, time.Hour, r.clock); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("a second init: %v, want CONFLICT", err)
	}
	r.issue(candor.PartyClient, "ana")
	ana := authority.Request{Identity: candor.Identity{Cluster: cluster, Party: candor.PartyClient, Name: "ana"}, ValidFor: time.Hour, Prefix: "ana"}
	if _, err := r.open().Issue(ana); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("a second certificate: %v, want CONFLICT", err)
	}
	ana.Overwrite = true
	if _, err := r.open().Issue(ana); err != nil {
		t.Error(err)
	}
	ana.Identity.Party = candor.PartyWorker
	if _, err := r.open().Issue(ana); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("over that of another party: %v, want CONFLICT", err)
	}
	for _, prefix := range []string{"ca", "CA", "ca-next", "../ca", ""} {
		ana.Prefix = prefix
		if _, err := r.open().Issue(ana); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("prefix %q: %v, want INVALID", prefix, err)
		}
	}
}

func TestOnlyOwnersReadKeys(t *testing.T) {
	r := newRoom(t)
	p := r.issue(candor.PartyServer, "s1")
	if _, err := r.open().Begin(time.Hour); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{
		filepath.Join(r.dir, "ca.key"): 0o600, filepath.Join(r.dir, "ca-next.key"): 0o600, p.Files.Key: 0o600,
		filepath.Join(r.dir, "ca.crt"): 0o644, p.Files.Cert: 0o644, p.Files.CA: 0o644, r.dir: 0o700, p.Dir(): 0o700,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
	}
}
