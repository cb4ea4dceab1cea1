package client

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// NewGossipKey draws a key of 32 bytes, in base64. It is a secret.
func NewGossipKey() string {
	material := make([]byte, 32)
	_, _ = rand.Read(material) // never fails: the process ends instead
	return base64.StdEncoding.EncodeToString(material)
}

// GossipFingerprint is what people may see of a key. The error, for what is no key,
// is INVALID and does not repeat it.
func GossipFingerprint(key string) (string, error) {
	key = strings.TrimSpace(key)
	material, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return "", candor.Errorf(candor.ReasonInvalid, "gossip key of %d characters: want standard base64 with padding", len(key))
	}
	if n := len(material); n != 16 && n != 24 && n != 32 {
		return "", candor.Errorf(candor.ReasonInvalid, "gossip key has %d bytes, want 16, 24 or 32", n)
	}
	sum := sha256.Sum256(material)
	return hex.EncodeToString(sum[:8]), nil
}

// GossipKey is one key of a node's ring, by what people may see of it.
type GossipKey struct {
	// Fingerprint is the first half of the key's SHA-256 in hex.
	Fingerprint string `json:"fingerprint"`
	// Primary: the node sends with it.
	Primary bool `json:"primary"`
}

// GossipKeyChange is what came of changing a ring. Every change may be asked for
// again: one that was made already changes nothing.
type GossipKeyChange struct {
	Fingerprint string          `json:"fingerprint"`
	Changed     bool            `json:"changed"`
	Witness     *candor.Witness `json:"witness,omitempty"`
}

// GossipKeys lists the keys that the node understands gossip with, the one that it
// sends with first. A node that gossips in the clear is UNAVAILABLE.
func (n *Node) GossipKeys(ctx context.Context) ([]GossipKey, error) {
	out := new(candorv1.GossipKeysResponse)
	r := request{method: candorv1.NodeService_GossipKeys_FullMethodName, in: &candorv1.GossipKeysRequest{}, out: out, aloof: true}
	if err := n.ask(ctx, &r); err != nil {
		return nil, candor.Wrap("gossip keys of "+n.addr, err)
	}
	var keys []GossipKey
	for _, p := range out.GetKeys() {
		keys = append(keys, GossipKey{Fingerprint: p.GetFingerprint(), Primary: p.GetPrimary()})
	}
	return keys, nil
}

// AddGossipKey has the node understand a key, base64 of 16, 24 or 32 bytes; it does
// not send with it yet. The key is a secret: it is not sent beyond this machine
// without TLS (INVALID), and no error repeats it.
func (n *Node) AddGossipKey(ctx context.Context, key string) (*GossipKeyChange, error) {
	out := new(candorv1.AddGossipKeyResponse)
	r := request{method: candorv1.NodeService_AddGossipKey_FullMethodName, in: &candorv1.AddGossipKeyRequest{Key: key}, out: out}
	if err := n.pin(&r); err != nil {
		return nil, err
	}
	if r.pinned.plain && leavesHost(n.addr) {
		return nil, candor.Errorf(candor.ReasonInvalid, "client: the gossip key would go to %s in the clear: use TLS", n.addr)
	}
	if err := n.change(ctx, &r); err != nil {
		return nil, candor.Wrap("add a gossip key at "+n.addr, err)
	}
	return &GossipKeyChange{Fingerprint: out.GetFingerprint(), Changed: out.GetChanged(), Witness: convert.WitnessFromProto(out.GetWitness())}, nil
}

// UseGossipKey has the node send with a key of its ring. Every node shall hold it
// by then: one that does not is NOT_FOUND here, and deaf to those that send with it.
func (n *Node) UseGossipKey(ctx context.Context, fingerprint string) (*GossipKeyChange, error) {
	out := new(candorv1.UseGossipKeyResponse)
	r := request{method: candorv1.NodeService_UseGossipKey_FullMethodName, in: &candorv1.UseGossipKeyRequest{Fingerprint: fingerprint}, out: out}
	if err := n.change(ctx, &r); err != nil {
		return nil, candor.Wrap("use a gossip key at "+n.addr, err)
	}
	return &GossipKeyChange{Fingerprint: fingerprint, Changed: out.GetChanged(), Witness: convert.WitnessFromProto(out.GetWitness())}, nil
}

// RemoveGossipKey has the node forget a key, which no node shall send with any
// more. The one that this node sends with is CONFLICT.
func (n *Node) RemoveGossipKey(ctx context.Context, fingerprint string) (*GossipKeyChange, error) {
	out := new(candorv1.RemoveGossipKeyResponse)
	r := request{method: candorv1.NodeService_RemoveGossipKey_FullMethodName, in: &candorv1.RemoveGossipKeyRequest{Fingerprint: fingerprint}, out: out}
	if err := n.change(ctx, &r); err != nil {
		return nil, candor.Wrap("remove a gossip key at "+n.addr, err)
	}
	return &GossipKeyChange{Fingerprint: fingerprint, Changed: out.GetChanged(), Witness: convert.WitnessFromProto(out.GetWitness())}, nil
}
