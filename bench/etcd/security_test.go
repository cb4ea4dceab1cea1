package etcd_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/candor-plane/candor/bench/system"
)

func TestASecuredClusterServesItsLoadAndRefusesTheRest(t *testing.T) {
	dir := t.TempDir()
	ctx, cluster := startIn(t, dir, system.Secured)
	leader, err := cluster.Leader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := cluster.Dial(ctx, leader)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	one := system.NewCorpus("item").At(0)
	if _, err := conn.Create(ctx, one); err != nil {
		t.Fatal(err)
	}
	for _, how := range []system.Consistency{system.Strong, system.Local} {
		if _, err := conn.Read(ctx, one, how); err != nil {
			t.Error(err)
		}
	}
	watchEveryVersion(ctx, t, conn, one)

	foreign := one
	foreign.Path = "/foreign"
	if _, err := conn.Update(ctx, foreign); !errors.Is(err, rpctypes.ErrPermissionDenied) {
		t.Errorf("write outside the load's keys: %v", err)
	}
	for member := range system.Members {
		if foreign, err := conn.Read(ctx, foreign, system.Local); !errors.Is(err, rpctypes.ErrPermissionDenied) {
			t.Errorf("member %d, read outside the load's keys: %+v, %v", member, foreign, err)
		}
		name := fmt.Sprintf("member-%d", member)
		for _, address := range []string{cluster.Address(member), peerAddress(t, filepath.Join(dir, name+".json"))} {
			refusesStrangers(t, address, filepath.Join(dir, "tls", name))
		}
	}
}

// refusesStrangers wants an old version and a missing certificate refused. The
// certificate of base is a good one.
func refusesStrangers(t *testing.T, address, base string) {
	t.Helper()
	own, err := tls.LoadX509KeyPair(base+".crt", base+".key")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config *tls.Config
		served bool
	}{
		"as a member":           {&tls.Config{Certificates: []tls.Certificate{own}}, true},
		"by TLS 1.2":            {&tls.Config{Certificates: []tls.Certificate{own}, MaxVersion: tls.VersionTLS12}, false},
		"without a certificate": {&tls.Config{}, false},
	} {
		c.config.InsecureSkipVerify = true // what is tested is what the member takes
		c.config.NextProtos = []string{"h2", "http/1.1"}
		if err := shake(address, c.config); (err == nil) != c.served {
			t.Errorf("%s, %s: %v", address, name, err)
		}
	}
}

// shake asks for anything and waits for the server's word: with TLS 1.3 a refusal
// comes after the handshake only, in place of an answer or of HTTP/2's settings.
func shake(address string, config *tls.Config) error {
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("GET /version HTTP/1.1\r\nHost: member\r\n\r\n")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// peerAddress is where the member of that configuration listens to the others.
func peerAddress(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		PeerURL string `json:"peerURL"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	peer, err := url.Parse(config.PeerURL)
	if err != nil || peer.Scheme != "https" {
		t.Fatalf("peer URL %q: %v", config.PeerURL, err)
	}
	return peer.Host
}
