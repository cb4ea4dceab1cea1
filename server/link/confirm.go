package link

import (
	"context"
	"encoding/binary"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Question asks a server which term it is in, and for its state digest at index
// Audit, if that is not 0 and the server has it.
type Question struct {
	Term, Nonce, Audit uint64
}

// Answer is what a server says of itself. Who it is was settled when the
// connection began.
type Answer struct {
	Term, Nonce uint64
	// Newest is the digest of the newest entry that it applied, Audited the one it
	// was asked for; an index of 0 means none.
	Newest, Audited fsm.IndexDigest
}

const (
	digestBytes   = 8 + len(fsm.Digest{})
	questionBytes = 3 * 8
	answerBytes   = 2*8 + 2*digestBytes
)

// Ask asks the server and waits for its answer.
func (l *Layer) Ask(ctx context.Context, server raft.Server, q Question) (Answer, error) {
	body, err := l.call(ctx, server, kindConfirm, q.append(make([]byte, 0, questionBytes)))
	if err != nil {
		return Answer{}, err
	}
	return parseAnswer(body)
}

func (q *Question) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, q.Term)
	b = binary.BigEndian.AppendUint64(b, q.Nonce)
	return binary.BigEndian.AppendUint64(b, q.Audit)
}

func parseQuestion(b []byte) (Question, error) {
	if len(b) != questionBytes {
		return Question{}, errFrame
	}
	return Question{Term: binary.BigEndian.Uint64(b), Nonce: binary.BigEndian.Uint64(b[8:]), Audit: binary.BigEndian.Uint64(b[16:])}, nil
}

func (a *Answer) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, a.Term)
	b = binary.BigEndian.AppendUint64(b, a.Nonce)
	b = appendDigest(b, &a.Newest)
	return appendDigest(b, &a.Audited)
}

func parseAnswer(b []byte) (Answer, error) {
	if len(b) != answerBytes {
		return Answer{}, errFrame
	}
	return Answer{
		Term: binary.BigEndian.Uint64(b), Nonce: binary.BigEndian.Uint64(b[8:]),
		Newest: parseDigest(b[16:]), Audited: parseDigest(b[16+digestBytes:]),
	}, nil
}

func appendDigest(b []byte, d *fsm.IndexDigest) []byte {
	b = binary.BigEndian.AppendUint64(b, d.Index)
	return append(b, d.Digest[:]...)
}

func parseDigest(b []byte) fsm.IndexDigest {
	d := fsm.IndexDigest{Index: binary.BigEndian.Uint64(b)}
	copy(d.Digest[:], b[8:])
	return d
}

var errFrame = candor.Errorf(candor.ReasonInvalid, "a frame of another length than its kind has")
