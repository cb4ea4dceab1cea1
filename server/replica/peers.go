package replica

import (
	"context"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Peers asks other servers. Calls end when their context does and may be
// concurrent.
type Peers interface {
	// Confirm asks which term the server is in.
	Confirm(ctx context.Context, server raft.Server, term, nonce uint64) (ConfirmAnswer, error)
	// Forward has the leader propose a command. An *Error is the leader's own
	// answer, or says that the request was never sent; any other error means
	// that nobody knows whether it arrived.
	Forward(ctx context.Context, leader raft.Server, term uint64, command []byte, expectedConfiguration uint64) (ForwardAnswer, error)
}

// ConfirmAnswer is what a server says of itself.
type ConfirmAnswer struct {
	ServerID  string
	ClusterID string
	Term      uint64
	// Nonce is the question's: it proves that the answer came after it.
	Nonce uint64
	// Digests are of the newest entries that the server has applied, oldest first.
	Digests []fsm.IndexDigest
}

// Applied is the newest index that the answer proves applied; 0 when none.
func (a *ConfirmAnswer) Applied() uint64 {
	if len(a.Digests) == 0 {
		return 0
	}
	return a.Digests[len(a.Digests)-1].Index
}

// ForwardAnswer is the leader's. Result is as fsm.AppendResult makes it.
type ForwardAnswer struct {
	Token  candor.Token
	Result []byte
}
