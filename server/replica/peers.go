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
	Confirm(ctx context.Context, server raft.Server, q ConfirmQuestion) (ConfirmAnswer, error)
	// Prove asks the leader how far the root is, as of now, and tells it which term
	// this server is in.
	Prove(ctx context.Context, leader raft.Server, term uint64) (ProveAnswer, error)
	// Forward has the leader propose a command. An *Error is the leader's own
	// answer, or says that the request was never sent; any other error means
	// that nobody knows whether it arrived.
	Forward(ctx context.Context, leader raft.Server, term uint64, command []byte, expectedConfiguration uint64) (ForwardAnswer, error)
}

// ConfirmQuestion is what a leader asks; Audit is an index whose digest it wants
// to compare, 0 for none.
type ConfirmQuestion struct{ Term, Nonce, Audit uint64 }

// ConfirmAnswer is what a server says of itself.
type ConfirmAnswer struct {
	ServerID  string
	ClusterID string
	Term      uint64
	// Nonce is the question's: it proves that the answer came after it.
	Nonce uint64
	// Newest is of the newest entry that the server has applied, Audited the one
	// that it was asked for, if it has it.
	Newest, Audited fsm.IndexDigest
}

// Applied is the newest index that the answer proves applied; 0 when none.
func (a *ConfirmAnswer) Applied() uint64 { return a.Newest.Index }

// ProveAnswer is a leader's proof, without the moment that only the asker knows,
// or its refusal; Leader then says who may lead instead.
type ProveAnswer struct {
	Proof
	Refusal candor.Reason
	Leader  string
}

// ForwardAnswer is the leader's. Result is as fsm.AppendResult makes it.
type ForwardAnswer struct {
	Token  candor.Token
	Result []byte
}
