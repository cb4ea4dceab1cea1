package candor_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/identity"

	candorside "github.com/candor-plane/candor/bench/candor"
	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// build is the binary that runs as a server: the one that CANDOR names, as for the
// benchmark, or one made from this tree.
func build(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("CANDOR"); named != "" {
		return named
	}
	binary := filepath.Join(t.TempDir(), "candor")
	cmd := exec.Command("go", "build", "-C", filepath.Join("..", ".."), "-o", binary, "./cmd/candor")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build candor: %v\n%s", err, out)
	}
	return binary
}

func TestASecuredClusterServesItsLoadAndRefusesTheRest(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	spawner := process.NewSpawner()
	defer spawner.Close()
	dir := t.TempDir()
	cluster, err := candorside.New(build(t), "tested").Start(ctx, system.Settings{Dir: dir, Security: system.Secured, Spawner: spawner})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	}()
	serves(ctx, t, cluster)

	ca := filepath.Join(dir, "tls", "ca.crt")
	load := filepath.Join(dir, "tls", "bench", "bench")
	for member := range system.Members {
		address := cluster.Address(member)
		namespace := &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: "foreign"}}
		for want, files := range map[candor.Reason]identity.Files{
			candor.ReasonForbidden:       {CA: ca, Cert: load + ".crt", Key: load + ".key"},
			candor.ReasonUnauthenticated: {CA: ca},
		} {
			if _, err := dial(t, address, files).Create(ctx, namespace); candor.ReasonOf(err) != want {
				t.Errorf("%s: a namespace created: %v, wanted %s", address, err, want)
			}
		}
		own, err := tls.LoadX509KeyPair(load+".crt", load+".key")
		if err != nil {
			t.Fatal(err)
		}
		old := &tls.Config{Certificates: []tls.Certificate{own}, MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true, NextProtos: []string{"h2"}}
		if conn, err := tls.Dial("tcp", address, old); err == nil {
			_ = conn.Close()
			t.Errorf("%s: TLS 1.2 was taken", address)
		}
	}
	for _, address := range raftAddresses(t, cluster) {
		hangsUp(t, address)
	}
}

// serves does as the load what experiments do in a secured cluster.
func serves(ctx context.Context, t *testing.T, cluster system.Cluster) {
	t.Helper()
	leader, err := cluster.Leader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := cluster.Dial(ctx, leader)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	corpus := system.NewCorpus("item")
	if err := conn.Load(ctx, corpus, 200); err != nil {
		t.Fatal(err)
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	ready, seen, ended := make(chan struct{}), make(chan uint64, 1), make(chan error, 1)
	go func() {
		ended <- conn.Watch(watching, corpus.At(1), func() { close(ready) }, func(version uint64) { seen <- version })
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	next := corpus.At(1)
	next.Spec = system.Spec(1 << 40)
	wrote, err := conn.Update(ctx, next)
	if err != nil {
		t.Fatal(err)
	}
	if version := <-seen; version != wrote.Version {
		t.Errorf("watched %d, wrote %d", version, wrote.Version)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, how := range []system.Consistency{system.Strong, system.Bounded, system.Local} {
		if got, err := conn.Read(ctx, next, how); err != nil || got.Version != wrote.Version {
			t.Errorf("read %d: %+v after %d, %v", how, got, wrote.Version, err)
		}
	}
}

func dial(t *testing.T, address string, files identity.Files) *client.Client {
	t.Helper()
	source, err := identity.Open(files, identity.Options{Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	sdk, err := client.New(client.Config{Endpoints: []string{address}, TLS: source})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = sdk.Close(), source.Close() })
	return sdk
}

// raftAddresses are in the command lines of the servers.
func raftAddresses(t *testing.T, cluster system.Cluster) []string {
	t.Helper()
	var found []string
	for member := range system.Members {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cluster.Processes().Member(member).PID()))
		if err != nil {
			t.Fatal(err)
		}
		args := strings.Split(string(line), "\x00")
		for i, arg := range args {
			if arg == "--raft" {
				found = append(found, args[i+1])
			}
		}
	}
	if len(found) != system.Members {
		t.Fatalf("raft addresses %v", found)
	}
	return found
}

// hangsUp wants whoever has no certificate refused.
func hangsUp(t *testing.T, address string) {
	t.Helper()
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	// The refusal comes after what TLS 1.3 calls the handshake.
	_, err = conn.Read(make([]byte, 1))
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%s: taken without a certificate: %v", address, err)
	}
}
