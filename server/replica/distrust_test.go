package replica

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// spoil makes the state of a server another one, as if it had applied the entry
// at an index differently.
func (c *cluster) spoil(n *node, index uint64) {
	c.t.Helper()
	r := n.replica()
	wrong := fsm.New(fsm.Config{ClusterID: "c1"})
	upto := r.machine.View().Token().Index
	for at := uint64(0); at < upto; {
		batch, err := r.committed(at, upto)
		if err != nil || len(batch) == 0 {
			c.t.Fatalf("entries after %d: %v", at, err)
		}
		for i := range batch {
			if at = batch[i].Index; at == index {
				batch[i].Data = command.AppendEntry(nil, command.Entry{Term: batch[i].Term, Commands: [][]byte{create("wrong")}})
			}
		}
		wrong.Apply(batch)
	}
	if err := r.machine.Adopt(wrong, r.committed); err != nil {
		c.t.Fatal(err)
	}
	if c.agrees(n) {
		c.t.Fatalf("%s is as it was", n.id)
	}
}

// agrees says whether a server's state is the leader's, at the newest index that
// it has.
func (c *cluster) agrees(n *node) bool {
	c.t.Helper()
	own, ok := n.replica().machine.DigestAt(n.replica().machine.View().Token().Index)
	if !ok {
		c.t.Fatalf("%s has no digest", n.id)
	}
	var theirs fsm.IndexDigest
	c.until("the leader at the same index", 5*time.Second, func() bool {
		theirs, ok = c.leader(n).replica().machine.DigestAt(own.Index)
		return ok
	})
	return own.Digest == theirs.Digest
}

// found waits until the leader has seen whose states differ.
func (c *cluster) found(want ...raft.ServerID) {
	c.t.Helper()
	c.until(fmt.Sprint("differing ", want), 5*time.Second, func() bool {
		leader := c.leader().replica()
		_, _ = prove(leader, time.Second)
		return slices.Equal(leader.AuditStatus().Differing, want)
	})
}

// snapshotted is a server's state as a peer would send it.
func snapshotted(t testing.TB, n *node) []byte {
	t.Helper()
	s := n.replica().machine.Snapshot()
	defer s.Release()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func rebuild(t testing.TB, n *node, snapshot []byte) *fsm.Machine {
	t.Helper()
	m, err := n.replica().machine.Rebuild(bytes.NewReader(snapshot))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAServerWhoseStateDiffersIsFoundAndIsNoTarget.
func TestAServerWhoseStateDiffersIsFoundAndIsNoTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		token := c.mustPropose(leader, "one")
		c.converged("one")
		others := c.others(leader)
		bad, good := others[0], others[1]
		c.spoil(bad, token.Index)
		c.mustPropose(leader, "two")
		c.found(raft.ServerID(bad.id))
		status := leader.replica().AuditStatus()
		if own, _ := leader.replica().machine.DigestAt(status.Agreed.Index); own != status.Agreed || status.Alarm != "" {
			t.Errorf("audit %+v", status)
		}
		c.until("told to the one that differs", time.Second, func() bool {
			p, err := prove(bad.replica(), time.Second)
			own, ok := bad.replica().machine.DigestAt(p.Agreed.Index)
			return err == nil && ok && own != p.Agreed
		})
		wantReason(t, leader.replica().TransferLeader(within(time.Second), bad.id), candor.ReasonConflict)
		for range 3 {
			if err := leader.replica().TransferLeader(within(time.Second), ""); err != nil {
				t.Fatal(err)
			}
			if next := c.leader(); next != good {
				t.Fatalf("leadership went to %s", next.id)
			}
			if err := good.replica().TransferLeader(within(time.Second), leader.id); err != nil {
				t.Fatal(err)
			}
			c.until("led as before", time.Second, leader.replica().Leading)
		}
		c.until("everything compared", time.Second, func() bool {
			_, _ = prove(leader.replica(), time.Second)
			return leader.replica().AuditStatus().Agreed.Index == leader.replica().machine.View().Token().Index
		})
		c.found(raft.ServerID(bad.id))
		// Mended, it shows although nothing is written, and it is a target again.
		if err := bad.replica().Adopt(within(time.Second), rebuild(t, bad, snapshotted(t, leader))); err != nil {
			t.Fatal(err)
		}
		c.found()
		if err := leader.replica().TransferLeader(within(time.Second), bad.id); err != nil {
			t.Error(err)
		}
		c.until("led by the mended", time.Second, bad.replica().Leading)
	})
}

// TestAQuarantinedLeaderHandsOverToASoundVoterAndTakesNoWrites.
func TestAQuarantinedLeaderHandsOverToASoundVoterAndTakesNoWrites(t *testing.T) {
	for _, size := range []int{3, 5} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, size)
			leader := c.leader()
			token := c.mustPropose(leader, "one")
			c.converged("one")
			others := c.others(leader)
			if size == 5 {
				c.spoil(others[0], token.Index)
				c.mustPropose(leader, "two")
				c.found(raft.ServerID(others[0].id))
			}
			leader.replica().Distrust(true)
			_, err := leader.replica().Propose(within(time.Millisecond), Proposal{Command: create("refused"), Local: true})
			wantReason(t, err, candor.ReasonNotLeader)
			next := c.leader(leader)
			if size == 5 && next == others[0] {
				t.Errorf("leadership went to %s, whose state differs too", next.id)
			}
			c.mustPropose(leader, "forwarded")
			c.mustPropose(next, "three")
			if has(next, "refused") {
				t.Error("a write that was refused appeared")
			}
			// It keeps its vote and its log.
			if !leader.replica().IsVoter() {
				t.Error("it has no vote any more")
			}
			c.until("followed", 5*time.Second, func() bool { return has(leader, "three") })
		})
	}
}

// TestAQuarantinedLeaderThatNobodyCanFollowTakesNoWrites, and takes them again
// once it is trusted.
func TestAQuarantinedLeaderThatNobodyCanFollowTakesNoWrites(t *testing.T) {
	d := newDurable(t, datadir.WAL)
	d.start()
	write := func(name string) error {
		result, err := propose(d.r, name, 5*time.Second)
		if err == nil {
			err = result.Err()
		}
		return err
	}
	if err := write("before"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		d.r.Distrust(true)
		wantReason(t, write(fmt.Sprint("refused", i)), candor.ReasonNotLeader)
		d.r.Distrust(false)
		if err := write(fmt.Sprint("taken", i)); err != nil {
			t.Errorf("trusted again: %v", err)
		}
	}
}

// TestAQuarantinedServerDoesNotStandBeforeTheOthers.
func TestAQuarantinedServerDoesNotStandBeforeTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		distrusted := c.others(leader)[0]
		sound := c.others(leader)[1]
		distrusted.replica().Distrust(true)
		for i := range 5 {
			leader = c.leader()
			other := sound
			if leader == sound {
				other = c.others(distrusted)[0]
				if other == leader {
					other = c.others(distrusted)[1]
				}
			}
			asked := false
			distrusted.replica().Suspect(leader.id, func(context.Context, raft.Server) bool { asked = true; return true })
			synctest.Wait()
			if asked {
				t.Error("it wonders whether the leader is gone, to stand for election at once")
			}
			c.net.isolate(leader.address)
			began := time.Now()
			if next := c.leader(leader); next != other || time.Since(began) > 1500*time.Millisecond {
				t.Errorf("%s led after %s", next.id, time.Since(began))
			}
			c.net.heal()
			c.mustPropose(c.leader(leader), fmt.Sprint("round", i))
			c.converged(fmt.Sprint("round", i))
		}
		// Where no other can, it stands in the end: its log is the longest. It brings
		// the other up and hands over to it.
		leader = c.leader()
		var other *node
		for _, n := range c.nodes {
			if n != distrusted && n != leader {
				other = n
			}
		}
		c.net.isolate(other.address)
		c.mustPropose(leader, "beyond the other")
		c.until("followed", time.Second, func() bool { return has(distrusted, "beyond the other") })
		began := time.Now()
		c.stop(leader, false)
		c.net.heal()
		c.until("led, in the end by the other", 5*time.Second, func() bool { return other.replica().Leading() })
		if took := time.Since(began); took < (distrustStretch-1)*c.settings.Election || !has(other, "beyond the other") {
			t.Errorf("the other leads after %s and shows all that was acknowledged: %t", took, has(other, "beyond the other"))
		}
		// And as soon as the others once it is trusted: the other's log is no longer
		// than its own.
		distrusted.replica().Distrust(false)
		c.start(leader)
		c.mustPropose(c.leader(), "all again")
		c.converged("all again")
		for i := range 20 {
			leader = c.leader()
			if leader == distrusted {
				return
			}
			c.net.isolate(leader.address)
			began := time.Now()
			c.leader(leader)
			if took := time.Since(began); took > 1500*time.Millisecond {
				t.Errorf("a new leader took %s", took)
			}
			c.net.heal()
			c.mustPropose(c.leader(leader), fmt.Sprint("last", i))
			c.converged(fmt.Sprint("last", i))
		}
		t.Error("trusted again, it was not elected in twenty elections")
	})
}
