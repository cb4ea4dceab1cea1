package etcd_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor/bench/etcd"
	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

// TestMain lets the test binary serve as a member, as the benchmark's does.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == etcd.MemberCommand {
		if err := etcd.RunMember(context.Background(), os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func start(t *testing.T) (context.Context, system.Cluster) {
	t.Helper()
	return startIn(t, t.TempDir(), system.Plain)
}

func startIn(t *testing.T, dir string, security system.Security) (context.Context, system.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	spawner := process.NewSpawner()
	t.Cleanup(spawner.Close)
	cluster, err := etcd.New(os.Args[0]).Start(ctx, system.Settings{Dir: dir, Security: security, Spawner: spawner})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	return ctx, cluster
}

func TestEveryOperationMeansWhatTheSystemPackageSays(t *testing.T) {
	ctx, cluster := start(t)
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
	one := corpus.At(0)

	created, err := conn.Create(ctx, one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Create(ctx, one); err == nil {
		t.Error("an object was created twice")
	}
	updated, err := conn.Update(ctx, one)
	if err != nil || updated.Version <= created.Version {
		t.Errorf("update: %+v after %+v, %v", updated, created, err)
	}
	if _, err := conn.Swap(ctx, one, created.Version); err == nil {
		t.Error("a swap passed on an old version")
	}
	swapped, err := conn.Swap(ctx, one, updated.Version)
	if err != nil {
		t.Fatal(err)
	}
	read, err := conn.Read(ctx, one, system.Strong)
	if err != nil || read.Version != swapped.Version {
		t.Errorf("strong read: %+v after %+v, %v", read, swapped, err)
	}
	if _, err := conn.Read(ctx, corpus.At(7), system.Strong); err == nil {
		t.Error("an absent object was read")
	}
	if err := conn.Load(ctx, system.NewCorpus("many"), 1_234); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.List(ctx, system.NewCorpus("many")); err != nil || n != 1_234 {
		t.Errorf("list: %d objects, %v", n, err)
	}
	dir := t.TempDir()
	if err := conn.Snapshot(ctx, dir); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("snapshot left %v, %v", entries, err)
	}
	watchEveryVersion(ctx, t, conn, one)
}

func watchEveryVersion(ctx context.Context, t *testing.T, conn system.Conn, o system.Object) {
	t.Helper()
	watching, stop := context.WithCancel(ctx)
	var seen []uint64
	var running sync.WaitGroup
	ready, last := make(chan struct{}), make(chan struct{})
	const versions = 20
	running.Go(func() {
		err := conn.Watch(watching, o, func() { close(ready) }, func(version uint64) {
			if seen = append(seen, version); len(seen) == versions {
				close(last)
			}
		})
		if err != nil {
			t.Errorf("watch: %v", err)
		}
	})
	<-ready
	var wrote []uint64
	for range versions {
		at, err := conn.Update(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		wrote = append(wrote, at.Version)
	}
	select {
	case <-last:
	case <-ctx.Done():
		t.Error("not every version was delivered")
	}
	stop()
	running.Wait()
	if fmt.Sprint(seen) != fmt.Sprint(wrote) {
		t.Errorf("watched %v, wrote %v", seen, wrote)
	}
}

func TestAKilledLeaderIsReplacedAndItsRestartCatchesUp(t *testing.T) {
	ctx, cluster := start(t)
	old, err := cluster.Leader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Processes().Kill(old); err != nil {
		t.Fatal(err)
	}
	leader, err := cluster.Leader(ctx)
	if err != nil || leader == old {
		t.Fatalf("leader %d after %d was killed, %v", leader, old, err)
	}
	conn, err := cluster.Dial(ctx, leader)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	at, err := conn.Create(ctx, system.NewCorpus("item").At(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Processes().Start(old); err != nil {
		t.Fatal(err)
	}
	for {
		if ctx.Err() != nil {
			t.Fatal("the restarted member never served what was written without it")
		}
		restarted, err := cluster.Dial(ctx, old)
		if err != nil {
			continue
		}
		read, err := restarted.Read(ctx, system.NewCorpus("item").At(1), system.Local)
		restarted.Close()
		if err == nil && read.Version == at.Version && read.Revision >= at.Revision {
			return
		}
	}
}
