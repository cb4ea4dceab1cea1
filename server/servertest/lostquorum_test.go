package servertest_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// What the last survivor of three holds goes on; what it missed is gone, and is
// neither handed out twice nor read by a session that has seen it.
func TestAServerThatMissedTheEndGoesOnWithoutUsingAnythingTwice(t *testing.T) {
	long(t)
	folder := t.TempDir()
	c := servertest.Start(t, servertest.WithData(folder))
	for _, duty := range allDuties {
		heldBy(t, c, duty, c.Leader())
	}
	k := c.Client(t)
	mustCreate(t, k, "before")
	left := c.Follower().Name()
	c.Until("the follower has it", func() bool { return holds(c, left, "before") })
	c.Isolate(left)
	leader := c.Leader(left)
	lastID, lastStamp := takeOf(t, c, leader.Name(), idsDuty, 200_000), takeOf(t, c, leader.Name(), tsoDuty, 200_000)
	after := mustCreate(t, c.Client(t, leader.Name()), "after")
	saved, err := json.Marshal(k.Session())
	if err != nil {
		t.Fatal(err)
	}
	committed := c.Leader(left).Replica().Status().Commit
	for _, s := range c.Servers() {
		c.Kill(s.Name())
	}
	c.Heal()

	quiet := hclog.NewNullLogger()
	data := filepath.Join(folder, left)
	p, err := server.PlanRecovery(server.Recovery{Data: []string{data}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	chosen := p.Chosen()
	if chosen.Name != left || chosen.LastIndex >= committed || chosen.Committed == 0 || chosen.Committed > chosen.LastIndex || p.Complete || p.Here != 1 || p.Voters != 3 {
		t.Errorf("the plan: %+v; the root was committed up to %d", p, committed)
	}
	if _, err := server.Recover(p, quiet); err != nil {
		t.Fatal(err)
	}

	s := c.Restart(left)
	c.Until("it leads alone", func() bool { return s.Replica().Leading() })
	for _, duty := range allDuties {
		heldBy(t, c, duty, s)
	}
	if first := takeOf(t, c, left, idsDuty, 1); first <= lastID {
		t.Errorf("ID %d after %d", first, lastID)
	}
	if first := takeOf(t, c, left, tsoDuty, 1); first <= lastStamp {
		t.Errorf("timestamp %d after %d", first, lastStamp)
	}
	session := client.NewSession()
	if err := json.Unmarshal(saved, session); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := within(5 * time.Second)
	defer cancel()
	old, err := client.New(client.Config{Endpoints: []string{left}, Actor: "test", Session: session, Dialer: c.Dialer()})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	_, _, err = old.Get(ctx, refOf("before"))
	wantReason(t, err, candor.ReasonHistoryMismatch)

	k = c.Client(t, left)
	if _, _, err := k.Get(ctx, refOf("before")); err != nil {
		t.Errorf("what the survivor held: %v", err)
	}
	_, _, err = k.Get(ctx, refOf("after"))
	wantReason(t, err, candor.ReasonNotFound)
	if anew := mustCreate(t, k, "after"); anew.Token.Revision <= after.Token.Revision || anew.Token.Term <= chosen.Term {
		t.Errorf("written at %s, before the recovery at %s", anew.Token, after.Token)
	}
	for range 2 {
		joined := c.AddServer()
		if _, err := k.Cluster().Promote(t.Context(), joined.Name(), 0); err != nil {
			t.Fatal(err)
		}
		c.Until("it has everything", func() bool { return holds(c, joined.Name(), "before") && holds(c, joined.Name(), "after") })
	}
	wantSoundTenures(t, c)
}

// A snapshot knows nothing of what was handed out after it.
func TestARestoredClusterHandsNothingOutTwice(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "backup.candor")
	old := alone(t, server.Config{Data: filepath.Join(folder, "old"), Raft: "127.0.0.1:0", Bootstrap: true})
	last := map[string]uint64{}
	for _, duty := range []string{idsDuty, tsoDuty} {
		lastOf(t, old.APIAddress(), duty, 10)
	}
	save(t, clientOf(t, old, nil), file)
	for _, duty := range []string{idsDuty, tsoDuty} {
		last[duty] = lastOf(t, old.APIAddress(), duty, 200_000)
	}
	raft := freeAddress(t)
	if _, err := server.RestoreSnapshot(server.Restore{Snapshot: file, Data: filepath.Join(folder, "new"), Name: "n1", Raft: raft, Logger: hclog.NewNullLogger()}); err != nil {
		t.Fatal(err)
	}
	restored := alone(t, server.Config{Data: filepath.Join(folder, "new"), Raft: raft})
	for duty, taken := range last {
		if got := lastOf(t, restored.APIAddress(), duty, 1); got <= taken {
			t.Errorf("%s: %d is handed out again, after %d", duty, got, taken)
		}
	}
}

// lastOf takes numbers of a server on loopback, once it serves them, and returns the
// last.
func lastOf(t *testing.T, address, duty string, n uint64) uint64 {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stub := candorv1.NewAllocServiceClient(conn)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		first, got, _, err := take(t.Context(), stub, duty, 5*time.Second, n)
		if err == nil {
			return first + got - 1
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %s: %v", n, duty, err)
		}
	}
}

func holds(c *servertest.Cluster, server, name string) bool {
	for _, s := range c.Servers() {
		if s.Name() == server {
			v, err := s.Machine().View().Get(refOf(name), 0)
			return err == nil && v != nil
		}
	}
	return false
}

// takeOf takes numbers in a row and returns the last.
func takeOf(t *testing.T, c *servertest.Cluster, server, duty string, n uint64) uint64 {
	t.Helper()
	stub := candorv1.NewAllocServiceClient(linked(t, c, server))
	first, got, _, err := take(t.Context(), stub, duty, 20*time.Second, n)
	if err != nil || got != n {
		t.Fatalf("%d of %s: got %d: %v", n, duty, got, err)
	}
	return first + n - 1
}
