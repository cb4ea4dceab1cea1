package grpcapi

import (
	"context"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// GossipRing is what this node encrypts its gossip with. A change is durable
// before it is answered. The errors are UNAVAILABLE where there is no ring.
type GossipRing interface {
	// Keys are the keys, the primary first.
	Keys() ([]GossipKey, error)
	// Add takes a key in base64 and never repeats it.
	Add(key string) (fingerprint string, added bool, err error)
	Use(fingerprint string) (changed bool, err error)
	Remove(fingerprint string) (removed bool, err error)
}

// GossipKey is what people may see of a key.
type GossipKey struct {
	Fingerprint string
	Primary     bool
}

// fingerprintDigits are how long a fingerprint is; every key is longer.
const fingerprintDigits = 16

// GossipKeys lists the keys of the ring.
func (s *Nodes) GossipKeys(context.Context, *candorv1.GossipKeysRequest) (*candorv1.GossipKeysResponse, error) {
	keys, err := s.ring.Keys()
	if err != nil {
		return nil, err
	}
	out := &candorv1.GossipKeysResponse{Witness: s.witness()}
	for _, k := range keys {
		out.Keys = append(out.Keys, &candorv1.GossipKey{Fingerprint: k.Fingerprint, Primary: k.Primary})
	}
	return out, nil
}

// AddGossipKey has the node understand a key that came where nobody could read it.
func (s *Nodes) AddGossipKey(ctx context.Context, in *candorv1.AddGossipKeyRequest) (*candorv1.AddGossipKeyResponse, error) {
	if !confidential(ctx) {
		return nil, candor.Errorf(candor.ReasonForbidden, "a gossip key is taken over TLS or from this machine alone, and this one came in the clear: draw another, and connect with --tls-ca")
	}
	fingerprint, added, err := s.ring.Add(in.GetKey())
	if err != nil {
		return nil, err
	}
	return &candorv1.AddGossipKeyResponse{Fingerprint: fingerprint, Changed: added, Witness: s.witness()}, nil
}

// UseGossipKey has the node send with a key of its ring.
func (s *Nodes) UseGossipKey(_ context.Context, in *candorv1.UseGossipKeyRequest) (*candorv1.UseGossipKeyResponse, error) {
	changed, err := s.ring.Use(in.GetFingerprint())
	if err != nil {
		return nil, err
	}
	return &candorv1.UseGossipKeyResponse{Changed: changed, Witness: s.witness()}, nil
}

// RemoveGossipKey has the node forget a key.
func (s *Nodes) RemoveGossipKey(_ context.Context, in *candorv1.RemoveGossipKeyRequest) (*candorv1.RemoveGossipKeyResponse, error) {
	removed, err := s.ring.Remove(in.GetFingerprint())
	if err != nil {
		return nil, err
	}
	return &candorv1.RemoveGossipKeyResponse{Changed: removed, Witness: s.witness()}, nil
}

// confidential says that nobody on the way could read the request: its connection
// is encrypted, or does not leave this machine.
func confidential(ctx context.Context) bool {
	caller, ok := peer.FromContext(ctx)
	if !ok {
		return false
	}
	// A transport that does not say how secure it is counts as the least.
	if known, ok := caller.AuthInfo.(interface {
		GetCommonAuthInfo() credentials.CommonAuthInfo
	}); ok && known.GetCommonAuthInfo().SecurityLevel == credentials.PrivacyAndIntegrity {
		return true
	}
	switch at := caller.Addr.(type) {
	case *net.TCPAddr:
		return at.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	default:
		return false
	}
}
