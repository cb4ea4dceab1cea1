package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

// System starts etcd clusters whose members are runs of one binary.
type System struct{ binary string }

// New takes the path of a binary that calls RunMember on MemberCommand.
func New(binary string) *System {
	if binary == "" {
		panic("etcd.New: no binary to run as a member")
	}
	return &System{binary: binary}
}

// Describe names the version that is linked in and the settings that are not
// etcd's defaults.
func (s *System) Describe() system.Description {
	return system.Description{
		Name:    "etcd",
		Version: version.Version,
		Settings: []string{
			"quota-backend-bytes=8GiB",
			"everything else at etcd's defaults: heartbeat 100 ms, election 1 s, pre-vote, snapshot-count 10000, no auto-compaction, fsync on",
			"update = Put; create = Txn(CreateRevision=0, Put); compare-and-swap = Txn(ModRevision=v, Put)",
			"list = RangeStream of the whole prefix; snapshot = Maintenance.Snapshot to a synced file",
			"tls: certificates of members and clients, client-cert-auth for both, tls-min-version=TLS1.3; listen-client-http-urls apart, since on a shared TLS port etcd serves gRPC through net/http; auth enabled, the load a user by the common name of its certificate whose role may read and write the measured keys",
		},
	}
}

// EncodedBytes is the key and the bare spec.
func (s *System) EncodedBytes(o system.Object) int { return len(o.Path) + len(o.Spec) }

// Start runs three members and waits until each of them serves.
func (s *System) Start(ctx context.Context, settings system.Settings) (system.Cluster, error) {
	addresses, err := settings.Spawner.Addresses(3 * system.Members)
	if err != nil {
		return nil, err
	}
	clients, peers, https := addresses[:system.Members], addresses[system.Members:2*system.Members], addresses[2*system.Members:]
	var proven credentials
	if settings.Security == system.Secured {
		if proven, err = certify(settings.Dir); err != nil {
			return nil, fmt.Errorf("start etcd cluster: %w", err)
		}
	}
	initial := make([]string, system.Members)
	for i := range initial {
		initial[i] = memberName(i) + "=" + proven.scheme() + peers[i]
	}
	commands := make([]process.Command, system.Members)
	for i := range commands {
		member := memberConfig{
			Name:           memberName(i),
			Dir:            filepath.Join(settings.Dir, memberName(i)),
			PeerURL:        proven.scheme() + peers[i],
			ClientURL:      proven.scheme() + clients[i],
			InitialCluster: strings.Join(initial, ","),
			Heartbeat:      settings.Heartbeat,
			Election:       settings.Election,
		}
		if proven.secured() {
			files := proven.members[i]
			member.TLS = &memberTLS{CA: files.CA, Cert: files.Cert, Key: files.Key, HTTPURL: proven.scheme() + https[i]}
		}
		config := filepath.Join(settings.Dir, memberName(i)+".json")
		if err := writeConfig(config, member); err != nil {
			return nil, err
		}
		commands[i] = process.Command{
			Path:       s.binary,
			Args:       []string{MemberCommand, "--config", config},
			Log:        filepath.Join(settings.Dir, memberName(i)+".log"),
			FsyncDelay: settings.FsyncDelay,
		}
	}
	group, err := process.StartGroup(settings.Spawner, commands)
	if err != nil {
		return nil, fmt.Errorf("start etcd cluster: %w", err)
	}
	cluster := &cluster{group: group, addresses: clients, credentials: proven, valueBytes: settings.ValueBytes}
	if err := cluster.awaitServing(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start etcd cluster: %w", err), cluster.Close())
	}
	return cluster, nil
}

func memberName(i int) string { return fmt.Sprintf("member-%d", i) }

func writeConfig(path string, member memberConfig) error {
	data, err := json.Marshal(member)
	if err != nil {
		return fmt.Errorf("write member configuration: %w", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("write member configuration: %w", err)
	}
	return nil
}
