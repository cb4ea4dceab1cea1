package placement

import (
	"bytes"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/literal"
)

// Place is where an instance stands, by its status.
type Place struct {
	Phase   candor.InstancePhase
	Node    string
	NodeUID string
}

// PlaceOf reads an instance's status; of one that says nothing it is Pending. It is
// not ok where the status says something that cannot be read: such a status is not
// stored.
func PlaceOf(status []byte) (p Place, ok bool) {
	p.Phase = candor.InstancePending
	if len(status) == 0 {
		return p, true
	}
	ok = literal.Members(status, func(name, value []byte) bool {
		var to *string
		switch string(name) {
		case "phase":
			phase, ok := literal.Text(value)
			p.Phase = candor.InstancePhase(phase)
			return ok && known(p.Phase)
		case "node":
			to = &p.Node
		case "nodeUID":
			to = &p.NodeUID
		default:
			return plain(name)
		}
		text, ok := literal.Text(value)
		*to = text
		return ok
	})
	return p, ok && (p.Node == "") == (p.NodeUID == "")
}

// Placed says that the instance has its place, for good.
func (p Place) Placed() bool { return p.Node != "" }

// Live says that the instance holds what it asks for of its node.
func (p Place) Live() bool { return p.Node != "" && !p.Phase.Ended() }

// Consistent says that phase and place fit each other: Placed is what has a place and
// has not ended.
func (p Place) Consistent() bool {
	return p.Phase.Ended() || p.Placed() == (p.Phase == candor.InstancePlaced)
}

func known(phase candor.InstancePhase) bool {
	return phase == candor.InstancePending || phase == candor.InstancePlaced || phase.Ended()
}

// plain says that a member's name is written without an escape.
func plain(name []byte) bool { return bytes.IndexByte(name, '\\') < 0 }
