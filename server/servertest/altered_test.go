package servertest_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// mark is what an entry holds that a disk alters.
const mark = "altered-here"

// disks alter entries of the servers of one cluster on their way to the disk, as
// faulty memory does: checksums are of what is stored.
type disks struct {
	mu sync.Mutex
	// armed is what the mark's first byte becomes, by server, once.
	armed map[string]byte
	bit   map[string]int
}

// withDisks has every entry of the first servers pass a fault.
func withDisks(servers int) (*disks, servertest.Option) {
	d := &disks{armed: map[string]byte{}, bit: map[string]int{}}
	all := []servertest.Option{servertest.WithServers(servers)}
	for i := range servers {
		name := fmt.Sprintf("n%d", i+1)
		all = append(all, servertest.WithServer(name, func(c *server.Config) {
			c.Seams.WrapLogStore = func(s raft.LogStore) raft.LogStore { return &disk{LogStore: s, disks: d, name: name} }
		}))
	}
	return d, servertest.Options(all...)
}

func (d *disks) arm(server string, to byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed[server] = to
}

// altered is how many entries of the server were.
func (d *disks) altered(server string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bit[server]
}

type disk struct {
	raft.LogStore
	disks *disks
	name  string
}

// StoreLog stores one entry.
func (d *disk) StoreLog(entry *raft.Log) error { return d.StoreLogs([]*raft.Log{entry}) }

// StoreLogs alters a copy: other servers and callers may share the entries.
func (d *disk) StoreLogs(logs []*raft.Log) error {
	d.disks.mu.Lock()
	to, armed := d.disks.armed[d.name]
	for i, entry := range logs {
		at := bytes.Index(entry.Data, []byte(mark))
		if !armed || at < 0 || entry.Type != raft.LogCommand {
			continue
		}
		other := *entry
		other.Data = bytes.Clone(entry.Data)
		other.Data[at] = to
		end := len(other.Data) - 4
		binary.LittleEndian.PutUint32(other.Data[end:], crc32.Checksum(other.Data[:end], crc32.MakeTable(crc32.Castagnoli)))
		logs[i] = &other
		delete(d.disks.armed, d.name)
		d.disks.bit[d.name]++
		armed = false
	}
	d.disks.mu.Unlock()
	return d.LogStore.StoreLogs(logs)
}

// IsMonotonic is the store's own answer.
func (d *disk) IsMonotonic() bool {
	m, ok := d.LogStore.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// markedWrite makes the write that disks alter, and waits until the servers that
// were armed have applied it.
func markedWrite(t testing.TB, c *servertest.Cluster, d *disks, k *client.Client, name string, victims ...*server.Server) client.Result {
	t.Helper()
	o := namespace(name)
	o.Metadata.Labels = map[string]string{"mark": mark}
	result := must(t, k, o)
	for _, v := range victims {
		c.Until(v.Name()+" has applied it", func() bool { return v.Machine().View().Token().Covers(result.Token) })
		if d.altered(v.Name()) == 0 {
			t.Fatalf("the disk of %s altered nothing", v.Name())
		}
		altered, err := v.Machine().View().Get(refOf(name), 0)
		if err != nil || altered == nil || bytes.Contains(altered.Data, []byte(mark)) {
			t.Fatalf("%s has %v, %v", v.Name(), altered, err)
		}
	}
	return result
}

func quarantineOf(t testing.TB, r *reader) *candorv1.Quarantine {
	return r.freshness(t).GetQuarantine()
}

// wantSound waits until a server that was quarantined is not any more, and fails
// unless its state is the others'.
func wantSound(t testing.TB, c *servertest.Cluster, r *reader) {
	t.Helper()
	c.Until(r.server.Name()+" is sound again", func() bool {
		w := r.served(t, weak())
		return quarantineOf(t, r) == nil && w.Mode == candor.ModeHealthy
	})
	wantEqualNow(t, c)
	r.served(t, bounded(time.Second))
	r.served(t, anywhere())
}

// wantEqualNow compares the states of all servers at one position, not their
// past.
func wantEqualNow(t testing.TB, c *servertest.Cluster) {
	t.Helper()
	leader := c.Leader()
	c.Until("every server has applied the same entries", func() bool {
		for _, s := range c.Servers() {
			if s.Machine().View().Token() != leader.Machine().View().Token() {
				return false
			}
		}
		return true
	})
	for _, s := range c.Servers() {
		if s.Machine().View().Digest() != leader.Machine().View().Digest() {
			t.Errorf("%s differs from %s at %s", s.Name(), leader.Name(), s.Machine().View().Token())
		}
	}
}
