package fsm

import "github.com/candor-plane/candor"

// maxAncestors bounds how many owners above a new one are looked at.
const maxAncestors = 256

// cycle says what is wrong with owner as an owner of the object at ref: that the object
// is among the owners above it, through whom; empty for nothing. References to owners
// that are gone lead nowhere. An object that is born owns nothing yet.
func (d *draft) cycle(ref candor.Ref, uid string, owner *candor.Object) string {
	type step struct {
		object *candor.Object
		below  int
	}
	if d.live(ref) == nil && !d.m.state.owns(uid) {
		return ""
	}
	above := []step{{owner, -1}}
	seen := map[string]bool{owner.Metadata.UID: true}
	for at := 0; at < len(above); at++ {
		o := above[at].object
		for _, next := range o.Metadata.Owners {
			if next.UID == uid {
				chain := " by " + ref.Name
				for i := at; i >= 0; i = above[i].below {
					chain = " by " + above[i].object.Metadata.Name + chain
				}
				return "would make a cycle: " + ref.Name + " is owned" + chain
			}
			if seen[next.UID] {
				continue
			}
			if len(above) == maxAncestors {
				return sprintf("has more than %d owners above it", maxAncestors)
			}
			if p := d.ownerOf(o.Metadata.Namespace, next); p != nil {
				seen[next.UID] = true
				above = append(above, step{p, at})
			}
		}
	}
	return ""
}

// ownerOf is the live owner that a reference from the namespace names, or nil.
func (d *draft) ownerOf(namespace string, o candor.OwnerReference) *candor.Object {
	owner := d.live(candor.Ref{Kind: o.Kind, Namespace: namespace, Name: o.Name})
	if owner == nil && namespace != "" {
		owner = d.live(candor.Ref{Kind: o.Kind, Name: o.Name})
	}
	if owner == nil || owner.Metadata.UID != o.UID {
		return nil
	}
	return owner
}
