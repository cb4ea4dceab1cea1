package dev

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
)

// Layout is what a cluster's folder remembers: servers, ports, token, whether they
// use TLS, how many workers there are.
type Layout struct {
	Token   string `json:"token"`
	TLS     bool   `json:"tls,omitempty"`
	Nodes   []Node `json:"nodes"`
	Workers int    `json:"workers,omitempty"`
}

// Node is one server of the layout.
type Node struct {
	Name   string `json:"name"`
	API    string `json:"api"`
	Raft   string `json:"raft"`
	Gossip string `json:"gossip"`
	Debug  string `json:"debug"`
}

// The ports that a cluster asks for first: base + node number.
const (
	apiPort    = 7100
	raftPort   = 7200
	gossipPort = 7300
	debugPort  = 7400
)

const layoutFile = "dev.yaml"

// mostWorkers bounds the workers of one folder: they are processes of one machine.
const mostWorkers = 20

// loadLayout reads the folder's layout, or plans a new one on ports that are free. What
// the options leave open is what the folder has, which for a new one is three servers,
// no workers and no TLS. Workers may be added to a folder, and servers may not.
func loadLayout(dir string, o Options, token string) (Layout, error) {
	nodes, tls := o.Nodes, o.TLS
	if o.Workers < 0 || o.Workers > mostWorkers {
		return Layout{}, candor.Errorf(candor.ReasonUsage, "dev: --workers %d: want 0 to %d", o.Workers, mostWorkers)
	}
	path := filepath.Join(dir, layoutFile)
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return planLayout(dir, nodes, o.Workers, tls != nil && *tls, token)
	case err != nil:
		return Layout{}, candor.Wrap("dev", err)
	}
	var l Layout
	if err := yaml.UnmarshalStrict(data, &l); err != nil {
		return Layout{}, candor.Errorf(candor.ReasonDataCorrupt, "%s: %v: remove the folder to begin anew", path, err)
	}
	if nodes != 0 && nodes != len(l.Nodes) {
		return Layout{}, candor.Errorf(candor.ReasonUsage, "%s holds a cluster of %d nodes, not %d: use another --data, or leave --nodes out", dir, len(l.Nodes), nodes)
	}
	if tls != nil && *tls != l.TLS {
		return Layout{}, refuseMixing(dir, l.TLS)
	}
	if o.Workers != 0 && o.Workers < l.Workers {
		return Layout{}, candor.Errorf(candor.ReasonUsage, "%s holds a cluster of %d workers, and fewer would leave nodes without one: drain and delete a node instead, or leave --workers out", dir, l.Workers)
	}
	for _, n := range l.Nodes {
		for _, address := range []string{n.API, n.Raft, n.Gossip, n.Debug} {
			if !free(address) {
				return Layout{}, candor.Errorf(candor.ReasonAddressInUse, "%s of node %s is in use: is this cluster running already?", address, n.Name)
			}
		}
	}
	if o.Workers > l.Workers {
		l.Workers = o.Workers
		return l, l.save(dir)
	}
	return l, nil
}

func (l Layout) save(dir string) error {
	data, err := yaml.Marshal(l)
	if err != nil {
		return candor.Wrap("dev", err)
	}
	return candor.Wrap("dev", os.WriteFile(filepath.Join(dir, layoutFile), data, 0o600))
}

func refuseMixing(dir string, has bool) error {
	if has {
		return candor.Errorf(candor.ReasonUsage, "%s holds a cluster with TLS, and its servers talk to none without: leave --tls out, or use another --data", dir)
	}
	return candor.Errorf(candor.ReasonUsage, "%s holds a cluster without TLS, whose ID is in no certificate: leave --tls out, or use another --data", dir)
}

func planLayout(dir string, nodes, workers int, tls bool, token string) (Layout, error) {
	if nodes == 0 {
		nodes = 3
	}
	if nodes < 1 || nodes > 9 {
		return Layout{}, candor.Errorf(candor.ReasonUsage, "dev: --nodes %d: want 1 to 9", nodes)
	}
	l := Layout{Token: token, TLS: tls, Workers: workers}
	taken := map[string]bool{}
	for i := 1; i <= nodes; i++ {
		n := Node{Name: fmt.Sprintf("n%d", i)}
		for _, p := range []struct {
			into *string
			base int
		}{{&n.API, apiPort}, {&n.Raft, raftPort}, {&n.Gossip, gossipPort}, {&n.Debug, debugPort}} {
			address, err := pick(p.base+i, taken)
			if err != nil {
				return Layout{}, err
			}
			*p.into = address
		}
		l.Nodes = append(l.Nodes, n)
	}
	return l, l.save(dir)
}

// pick takes the wanted port when it is free, otherwise one that the system
// gives.
func pick(port int, taken map[string]bool) (string, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for range 100 {
		if !taken[address] && free(address) {
			taken[address] = true
			return address, nil
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", candor.Errorf(candor.ReasonAddressInUse, "dev: no free port: %w", err)
		}
		address = l.Addr().String()
		if err := l.Close(); err != nil {
			return "", candor.Wrap("dev", err)
		}
	}
	return "", candor.Errorf(candor.ReasonAddressInUse, "dev: no free port near %d", port)
}

// free says whether both TCP and UDP can be bound.
func free(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer func() { _ = l.Close() }()
	p, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	return p.Close() == nil
}

// InitialCluster is the list as servers take it.
func (l Layout) InitialCluster() string {
	parts := make([]string, 0, len(l.Nodes))
	for _, n := range l.Nodes {
		parts = append(parts, n.Name+"="+n.API+"/"+n.Raft)
	}
	return strings.Join(parts, ",")
}

// GossipAddresses are those of all nodes.
func (l Layout) GossipAddresses() []string {
	out := make([]string, 0, len(l.Nodes))
	for _, n := range l.Nodes {
		out = append(out, n.Gossip)
	}
	return out
}

// APIAddresses are those of all nodes.
func (l Layout) APIAddresses() []string {
	out := make([]string, 0, len(l.Nodes))
	for _, n := range l.Nodes {
		out = append(out, n.API)
	}
	return out
}
