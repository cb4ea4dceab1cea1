package command

import (
	"encoding/json"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/wire"
)

// MaxPlacements is how many items a placement command may carry; the turn refuses
// more with INVALID.
const MaxPlacements = 256

// Placement is what the scheduler decided about one instance. With Node it asks for
// the place; with Nominated alone, or with neither, it only records the decision.
// The turn judges each item by itself, in order, so that one that is refused takes
// nothing from the others.
type Placement struct {
	// Ref, UID and ResourceVersion are the instance's, as it was decided about.
	Ref             candor.Ref
	UID             string
	ResourceVersion uint64
	Node, NodeUID   string
	Nominated       string
	// Decision is a candor.Decision as proposed, compact JSON. Where the turn refuses
	// the item it stores the decision with the verdict REFUSED and its reason.
	Decision json.RawMessage
	// Reason and Message are of the condition Scheduled, should the item be accepted.
	Reason, Message string
}

// Place proposes placements under a tenure of the duty schedule. Read is the view
// that all of them were decided on.
func Place(duty string, era uint64, holder string, read candor.Token, placements ...Placement) *Command {
	return &Command{Type: TypePlacement, Actor: candor.ActorSystem, Duty: duty, Era: era, Holder: holder, ReadToken: read, Placements: placements}
}

func appendPlacement(b []byte, p *Placement) []byte {
	b = wire.AppendString(b, 1, string(p.Ref.Kind))
	b = wire.AppendString(b, 2, p.Ref.Namespace)
	b = wire.AppendString(b, 3, p.Ref.Name)
	b = wire.AppendString(b, 4, p.UID)
	b = wire.AppendUint(b, 5, p.ResourceVersion)
	b = wire.AppendString(b, 6, p.Node)
	b = wire.AppendString(b, 7, p.NodeUID)
	b = wire.AppendString(b, 8, p.Nominated)
	b = wire.AppendBytes(b, 9, p.Decision)
	b = wire.AppendString(b, 10, p.Reason)
	return wire.AppendString(b, 11, p.Message)
}

func readPlacement(outer *wire.Reader) Placement {
	var p Placement
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			p.Ref.Kind = candor.KindName(r.String())
		case 2:
			p.Ref.Namespace = r.String()
		case 3:
			p.Ref.Name = r.String()
		case 4:
			p.UID = r.String()
		case 5:
			p.ResourceVersion = r.Uint()
		case 6:
			p.Node = r.String()
		case 7:
			p.NodeUID = r.String()
		case 8:
			p.Nominated = r.String()
		case 9:
			p.Decision = json.RawMessage(r.Bytes())
		case 10:
			p.Reason = r.String()
		case 11:
			p.Message = r.String()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return p
}
