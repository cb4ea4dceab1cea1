package replica

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// plainTCP is a stream layer whose connections name no target.
type plainTCP struct{ net.Listener }

func (plainTCP) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	return net.DialTimeout("tcp", string(address), timeout)
}

// benchCluster is three replicas in one process: TCP over loopback, data on
// disk, peers called directly.
type benchCluster struct {
	replicas map[raft.ServerAddress]*Replica
	all      []*Replica
}

func (c *benchCluster) Confirm(_ context.Context, server raft.Server, q ConfirmQuestion) (ConfirmAnswer, error) {
	return c.replicas[server.Address].ServeConfirm(q), nil
}

func (c *benchCluster) Prove(ctx context.Context, leader raft.Server, term uint64) (ProveAnswer, error) {
	answer, _ := c.replicas[leader.Address].ServeProve(ctx, "", term)
	return answer, nil
}

func (c *benchCluster) Forward(ctx context.Context, leader raft.Server, term uint64, command []byte, expected uint64) (ForwardAnswer, error) {
	return c.replicas[leader.Address].ServeForward(ctx, command, term, expected)
}

func newBenchCluster(b *testing.B, kind datadir.LogStore, tune func(*Settings)) (*benchCluster, *Replica) {
	c := &benchCluster{replicas: map[raft.ServerAddress]*Replica{}}
	settings := Default()
	settings.SnapshotBytes, settings.StopSnapshotBytes = 1<<40, 1<<40
	tune(&settings)
	var servers []raft.Server
	for i := range 3 {
		dir, err := datadir.Open(b.TempDir(), datadir.Options{Name: fmt.Sprint("n", i), ClusterID: "c1", LogStore: kind, BallastBytes: -1, Logger: hclog.NewNullLogger()})
		if err != nil {
			b.Fatal(err)
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		trans := NewTransport(plainTCP{listener}, hclog.NewNullLogger())
		r, err := New(Config{
			Dir: dir, Machine: fsm.New(fsm.Config{ClusterID: "c1"}), Transport: trans, Peers: c,
			Settings: settings, Logger: hclog.NewNullLogger(), OnFatal: func(err error) { b.Error(err) },
		})
		if err != nil {
			b.Fatal(err)
		}
		c.replicas[trans.LocalAddr()] = r
		c.all = append(c.all, r)
		servers = append(servers, raft.Server{ID: raft.ServerID(r.serverID), Address: trans.LocalAddr()})
	}
	for _, r := range c.all {
		if err := r.Bootstrap(servers); err != nil {
			b.Fatal(err)
		}
	}
	b.Cleanup(func() {
		for _, r := range c.all {
			ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
			if err := r.Close(ctx); err != nil {
				b.Error(err)
			}
			cancel()
		}
	})
	var leader *Replica
	waitFor(b, func() bool {
		for _, r := range c.all {
			if r.Leading() {
				leader = r
				return true
			}
		}
		return false
	})
	return c, leader
}

// create300 is a create command of about 300 bytes.
func create300(name string) []byte {
	return command.AppendCommand(make([]byte, 0, 320), &command.Command{
		Type: command.TypeWrite, Actor: "bench",
		Then: []command.Operation{{Verb: command.VerbCreate, Kind: candor.KindNamespaces, KindRevision: 1, Object: &candor.Object{
			APIVersion: "candor/v1", Kind: "Namespace", Spec: []byte(`{"pad":"` + strings.Repeat("x", 150) + `"}`),
			Metadata: candor.Metadata{Name: name, UID: "uid-" + name},
		}}},
	})
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPropose reports proposals per second, their latency, and the CPU of
// the whole process (three servers and the proposers) per command.
func BenchmarkPropose(b *testing.B) {
	for _, kind := range []datadir.LogStore{datadir.WAL, datadir.BoltDB} {
		for _, proposers := range []int{1, 64, 256, 1000} {
			b.Run(fmt.Sprintf("%s/%d", kind, proposers), func(b *testing.B) {
				_, leader := newBenchCluster(b, kind, func(s *Settings) { s.SnapshotBytes = 1 << 40 })
				run(b, leader, proposers)
			})
		}
	}
}

func run(b *testing.B, leader *Replica, proposers int) {
	limit := 3 * time.Second
	if v := os.Getenv("CANDOR_BENCH_SECONDS"); v != "" {
		if d, err := time.ParseDuration(v + "s"); err == nil {
			limit = d
		}
	}
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
		var wg sync.WaitGroup
		var done atomic.Int64
		latencies := make([][]time.Duration, proposers)
		before, used, entries := time.Now(), cpu(), leader.applied.index.Load()
		for p := range proposers {
			wg.Go(func() {
				for i := 0; time.Since(before) < limit; i++ {
					began := time.Now()
					if _, err := leader.Propose(ctx, Proposal{Command: create300(fmt.Sprintf("b%d-%d-%d", before.UnixNano()%1e9, p, i))}); err != nil {
						b.Error(err)
						return
					}
					done.Add(1)
					latencies[p] = append(latencies[p], time.Since(began))
				}
			})
		}
		wg.Wait()
		cancel()
		took, n := time.Since(before), done.Load()
		all := slices.Concat(latencies...)
		slices.Sort(all)
		b.ReportMetric(float64(n)/took.Seconds(), "commits/s")
		b.ReportMetric(float64((cpu()-used).Microseconds())/float64(n), "cpu-µs/op")
		b.ReportMetric(float64(n)/float64(leader.applied.index.Load()-entries), "cmds/entry")
		b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
	}
}

// BenchmarkReadIndex reports confirmed reads per second and rounds per read.
func BenchmarkReadIndex(b *testing.B) {
	for _, readers := range []int{1, 64, 256} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) {
			_, leader := newBenchCluster(b, datadir.WAL, func(*Settings) {})
			for b.Loop() {
				var wg sync.WaitGroup
				var done atomic.Int64
				before, used, rounds := time.Now(), cpu(), leader.confirm.begun.Load()
				for range readers {
					wg.Go(func() {
						for time.Since(before) < time.Second {
							if _, _, err := leader.ReadIndex(b.Context()); err != nil {
								b.Error(err)
								return
							}
							done.Add(1)
						}
					})
				}
				wg.Wait()
				n := float64(done.Load())
				b.ReportMetric(n/time.Since(before).Seconds(), "reads/s")
				b.ReportMetric(float64((cpu()-used).Microseconds())/n, "cpu-µs/op")
				b.ReportMetric(float64(leader.confirm.begun.Load()-rounds)/n, "rounds/op")
			}
		})
	}
}
