package command

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/wire"
)

// MaxBeats is how many beats a command may carry; the turn refuses more with
// INVALID.
const MaxBeats = 4096

// MaxPromised is the longest time that a beat may promise, in nanoseconds of cluster
// time; the turn refuses a beat of more, or of less than none, with INVALID.
const MaxPromised = int64(time.Hour)

// Beat says that a node's worker lives: the node, and the session that its worker
// observed it with. Each beat is judged by itself.
//
// Promised is for how long the worker may count on it, in nanoseconds: it was told to be
// heard again sooner than that, whatever its policy says by then. 0 promises nothing.
type Beat struct {
	Node     string
	UID      string
	Session  string
	Promised int64
}

// Beats reports the beats of many nodes at once. It needs no tenure: whoever heard
// the workers may say so.
func Beats(beats ...Beat) *Command {
	return &Command{Type: TypeBeat, Actor: candor.ActorSystem, Beats: beats}
}

func appendBeat(b []byte, x *Beat) []byte {
	b = wire.AppendString(b, 1, x.Node)
	b = wire.AppendString(b, 2, x.UID)
	b = wire.AppendString(b, 3, x.Session)
	return wire.AppendInt(b, 4, x.Promised)
}

func readBeat(outer *wire.Reader) Beat {
	var x Beat
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			x.Node = r.String()
		case 2:
			x.UID = r.String()
		case 3:
			x.Session = r.String()
		case 4:
			x.Promised = r.Int()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return x
}
