package servertest_test

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server"
)

// alone starts one server on real files and loopback, ended by the test.
func alone(t *testing.T, config server.Config) *server.Server {
	t.Helper()
	config.Name, config.API, config.Settings, config.Logger = "n1", "127.0.0.1:0", server.DefaultSettings(), hclog.NewNullLogger()
	config.Settings.DiskWatermarkBytes = 1
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func clientOf(t *testing.T, s *server.Server, session *client.Session) *client.Client {
	t.Helper()
	k, err := client.New(client.Config{Endpoints: []string{s.APIAddress()}, Actor: "test", Session: session})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// save writes a snapshot of the cluster to a file and verifies it.
func save(t *testing.T, k *client.Client, path string) server.SnapshotInfo {
	t.Helper()
	var stream bytes.Buffer
	if _, err := k.Cluster().Snapshot(t.Context(), &stream, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, stream.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := server.InspectSnapshot(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestARestoredClusterHasTheSameContentsAndRefusesOldSessions(t *testing.T) {
	folder := t.TempDir()
	file, again := filepath.Join(folder, "backup.candor"), filepath.Join(folder, "again.candor")
	old := clientOf(t, alone(t, server.Config{Data: filepath.Join(folder, "old"), Raft: "127.0.0.1:0", Bootstrap: true}), nil)
	for _, name := range []string{"one", "two", "three"} {
		mustCreate(t, old, name)
	}
	if _, err := old.Delete(t.Context(), refOf("two")); err != nil {
		t.Fatal(err)
	}
	source := save(t, old, file)
	saved, err := json.Marshal(old.Session())
	if err != nil {
		t.Fatal(err)
	}

	raft := freeAddress(t)
	restored, err := server.RestoreSnapshot(server.Restore{
		Snapshot: file, Data: filepath.Join(folder, "new"), Name: "n1", Raft: raft, Logger: hclog.NewNullLogger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if restored.Contents != source.Contents || restored.Objects != source.Objects {
		t.Errorf("restored %d objects %s, of %d objects %s", restored.Objects, restored.Contents, source.Objects, source.Contents)
	}
	if restored.Digest == source.Digest || restored.ClusterID == source.ClusterID || restored.HistoryID == source.HistoryID {
		t.Errorf("the restored state passes for the old one: %+v, %+v", restored, source)
	}

	s := alone(t, server.Config{Data: filepath.Join(folder, "new"), Raft: raft})
	k := clientOf(t, s, nil)
	if got := save(t, k, again); got.Contents != source.Contents {
		t.Errorf("a snapshot of the restored cluster has contents %s, the source has %s", got.Contents, source.Contents)
	}
	session := client.NewSession()
	if err := json.Unmarshal(saved, session); err != nil {
		t.Fatal(err)
	}
	_, _, err = clientOf(t, s, session).Get(t.Context(), refOf("one"))
	wantReason(t, err, candor.ReasonHistoryMismatch)
	mustCreate(t, k, "four")
	if got := save(t, k, again); got.Contents == source.Contents {
		t.Error("a write left the contents digest as it was")
	}
}

func TestADamagedFileIsNotRestoredAndLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "backup.candor")
	k := clientOf(t, alone(t, server.Config{Raft: "127.0.0.1:0", Bootstrap: true}), nil)
	mustCreate(t, k, "one")
	save(t, k, file)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, len(good) / 2, len(good) - 1} {
		bad := bytes.Clone(good)
		bad[at] ^= 0x40
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(folder, "new")
		_, err := server.RestoreSnapshot(server.Restore{Snapshot: file, Data: data, Name: "n1", Raft: "127.0.0.1:1", Logger: hclog.NewNullLogger()})
		wantReason(t, err, candor.ReasonDataCorrupt)
		if _, err := os.Stat(data); !os.IsNotExist(err) {
			t.Errorf("byte %d damaged: the refused restore left %s: %v", at, data, err)
		}
	}
}
