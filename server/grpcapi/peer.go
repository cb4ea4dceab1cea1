package grpcapi

import (
	"context"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Peer is what servers ask of each other.
type Peer interface {
	Forward(ctx context.Context, in *candorv1.ForwardRequest) (*candorv1.ForwardResponse, error)
	Identify() *candorv1.IdentifyResponse
	ClusterID() string
}

// Peers is the peer service.
type Peers struct {
	candorv1.UnimplementedPeerServiceServer
	peer Peer
}

// NewPeers returns the service.
func NewPeers(peer Peer) *Peers {
	if peer == nil {
		panic("grpcapi: the peer service needs a peer")
	}
	return &Peers{peer: peer}
}

// Forward proposes a follower's command here, and nowhere further.
func (s *Peers) Forward(ctx context.Context, in *candorv1.ForwardRequest) (*candorv1.ForwardResponse, error) {
	if err := s.ofThisCluster(in.GetClusterId()); err != nil {
		return nil, err
	}
	if !in.GetProbe() {
		if err := checkForwarded(in.GetCommand()); err != nil {
			return nil, err
		}
	}
	return s.peer.Forward(ctx, in)
}

// Identify says who this server is.
func (s *Peers) Identify(context.Context, *candorv1.IdentifyRequest) (*candorv1.IdentifyResponse, error) {
	return s.peer.Identify(), nil
}

func (s *Peers) ofThisCluster(id string) error {
	if own := s.peer.ClusterID(); id != own {
		return candor.Errorf(candor.ReasonClusterMismatch, "the caller belongs to cluster %s; this is cluster %s", id, own)
	}
	return nil
}
