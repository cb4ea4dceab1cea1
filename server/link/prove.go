package link

import (
	"context"
	"encoding/binary"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Proof is what a leader tells another server after a majority has confirmed
// it; a Refusal, with who leads instead if that is known, where it cannot.
type Proof struct {
	Refusal candor.Reason
	Leader  string
	Term    uint64
	// Index covers everything acknowledged before the leader was asked.
	Index uint64
	// Root is the newest position that the leader's view has.
	Root candor.Token
	// First is the first index that the leader's log holds.
	First uint64
	// Agreed is the digest that a majority of the voters had at an index.
	Agreed fsm.IndexDigest
}

const proofBytes = 6*8 + digestBytes

// Prove asks the server for a proof and waits for it. The term is the one that
// this server is in.
func (l *Layer) Prove(ctx context.Context, server raft.Server, term uint64) (Proof, error) {
	body, err := l.call(ctx, server, kindProve, binary.BigEndian.AppendUint64(nil, term))
	if err != nil {
		return Proof{}, err
	}
	return parseProof(body)
}

func (p *Proof) append(b []byte) []byte {
	for _, n := range []uint64{p.Term, p.Index, p.Root.Term, p.Root.Index, p.Root.Revision, p.First} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = appendDigest(b, &p.Agreed)
	b = append(b, byte(len(p.Refusal)))
	b = append(b, p.Refusal...)
	return append(b, p.Leader...)
}

func parseProof(b []byte) (Proof, error) {
	if len(b) < proofBytes+1 || len(b) < proofBytes+1+int(b[proofBytes]) {
		return Proof{}, errFrame
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[8*i:]) }
	p := Proof{
		Term: n(0), Index: n(1), Root: candor.Token{Term: n(2), Index: n(3), Revision: n(4)}, First: n(5), Agreed: parseDigest(b[48:]),
	}
	text := b[proofBytes+1:]
	size := int(b[proofBytes])
	p.Refusal, p.Leader = candor.Reason(text[:size]), string(text[size:])
	return p, nil
}
