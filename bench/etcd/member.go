// Package etcd is the peer that Candor is measured beside: three etcd members,
// each the embedded server in a process of its own, driven by etcd's Go client.
//
// It guarantees that every operation means for etcd what the system package
// states. It refuses to change etcd's defaults except for the storage quota and,
// where an experiment asks, heartbeat, election and security. Command bench wires it.
package etcd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/tlsutil"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
	"google.golang.org/grpc"
)

// MemberCommand is the word by which the benchmark's binary is started as one
// member instead.
const MemberCommand = "member-etcd"

// quotaBytes is the largest quota that etcd's documentation recommends; the
// default of 2 GiB would end a long run in a storage alarm.
const quotaBytes = 8 << 30

// memberConfig is what a member process reads from its --config file.
type memberConfig struct {
	Name           string        `json:"name"`
	Dir            string        `json:"dir"`
	PeerURL        string        `json:"peerURL"`
	ClientURL      string        `json:"clientURL"`
	InitialCluster string        `json:"initialCluster"`
	Heartbeat      time.Duration `json:"heartbeat"`
	Election       time.Duration `json:"election"`
	// TLS is nil for plain TCP.
	TLS *memberTLS `json:"tls,omitempty"`
}

// memberTLS are the PEM files of a member, which it shows to clients and peers.
type memberTLS struct {
	CA   string `json:"ca"`
	Cert string `json:"cert"`
	Key  string `json:"key"`
	// HTTPURL is a listener of its own for what is not gRPC. On a port that serves
	// both, etcd hands gRPC to net/http once there is TLS, where it serves it by
	// itself when there is none.
	HTTPURL string `json:"httpURL"`
}

// RunMember serves one member until ctx ends or the server stops by itself.
func RunMember(ctx context.Context, configFile string) error {
	data, err := os.ReadFile(configFile)
	if err != nil {
		return fmt.Errorf("read member configuration: %w", err)
	}
	var member memberConfig
	if err := json.Unmarshal(data, &member); err != nil {
		return fmt.Errorf("read member configuration %s: %w", configFile, err)
	}
	config, err := member.embedded()
	if err != nil {
		return fmt.Errorf("read member configuration %s: %w", configFile, err)
	}
	// etcd's own command does the same first thing.
	grpc.EnableTracing = false
	server, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("start etcd: %w", err)
	}
	defer server.Close()
	select {
	case <-ctx.Done():
		return nil
	case <-server.Server.StopNotify():
		return fmt.Errorf("etcd stopped by itself")
	case err := <-server.Err():
		return fmt.Errorf("etcd failed: %w", err)
	}
}

func (m memberConfig) embedded() (*embed.Config, error) {
	peer, err := url.Parse(m.PeerURL)
	if err != nil {
		return nil, err
	}
	client, err := url.Parse(m.ClientURL)
	if err != nil {
		return nil, err
	}
	config := embed.NewConfig()
	config.Name = m.Name
	config.Dir = m.Dir
	config.ListenPeerUrls = []url.URL{*peer}
	config.AdvertisePeerUrls = []url.URL{*peer}
	config.ListenClientUrls = []url.URL{*client}
	config.AdvertiseClientUrls = []url.URL{*client}
	config.InitialCluster = m.InitialCluster
	config.QuotaBackendBytes = quotaBytes
	if m.Heartbeat > 0 {
		config.TickMs = uint(m.Heartbeat.Milliseconds())
	}
	if m.Election > 0 {
		config.ElectionMs = uint(m.Election.Milliseconds())
	}
	if m.TLS != nil {
		rest, err := url.Parse(m.TLS.HTTPURL)
		if err != nil {
			return nil, err
		}
		config.ListenClientHttpUrls = []url.URL{*rest}
		both := transport.TLSInfo{CertFile: m.TLS.Cert, KeyFile: m.TLS.Key, TrustedCAFile: m.TLS.CA, ClientCertAuth: true}
		config.ClientTLSInfo, config.PeerTLSInfo = both, both
		config.TlsMinVersion = string(tlsutil.TLSVersion13)
	}
	return config, nil
}
