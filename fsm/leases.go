package fsm

import (
	"github.com/tidwall/btree"
	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/placement"
	"github.com/candor-plane/candor/internal/wire"
)

// Lease is when a node's worker was heard of last. There is one for every node that
// a worker observed, of the session that it observed it with: the observation that
// brings a new session is its first beat, and promises nothing: its worker goes by what
// it was told as it registered. Later ones make no version and no revision.
type Lease struct {
	Node, UID string
	Session   string
	// Beat is cluster time. Promised is for how long that beat was promised to count, in
	// nanoseconds: its worker knows no shorter time yet, and is not to be taken for silent
	// before it is over.
	Beat, Promised int64
}

// leases are by the UID of their node.
type leases = btree.Map[string, Lease]

// Lease is that of the node with the UID; false when no worker observed it.
func (v *View) Lease(uid string) (Lease, bool) { return v.leases.Get(uid) }

// Leases calls yield for every lease, in order of the nodes' UIDs.
func (v *View) Leases(yield func(Lease) bool) {
	v.leases.Scan(func(_ string, l Lease) bool { return yield(l) })
}

// setLease keeps a lease, whose strings the state may keep.
func (s *state) setLease(l Lease) {
	if before, had := s.leases.Set(l.UID, l); had {
		s.leaseSum.remove(before.hash())
	}
	s.leaseSum.add(l.hash())
	s.leasesStale = true
}

func (s *state) dropLease(uid string) {
	if before, had := s.leases.Delete(uid); had {
		s.leaseSum.remove(before.hash())
		s.leasesStale = true
	}
}

// lease follows a node's object: a new session begins anew, and with the object, or
// without a session, the lease is gone.
func (s *state) lease(before, after *candor.Object) {
	if before != nil && after != nil && same(before.Observed, after.Observed) {
		return
	}
	session := ""
	if after != nil {
		session = placement.Session(after.Observed)
	}
	if session == "" {
		if before != nil {
			s.dropLease(before.Metadata.UID)
		}
		return
	}
	if old, ok := s.leases.Get(after.Metadata.UID); !ok || old.Session != session {
		s.setLease(Lease{Node: clone(after.Metadata.Name), UID: clone(after.Metadata.UID), Session: clone(session), Beat: s.time})
	}
}

// renewLeases has every worker be heard of now, where a new history begins: nobody
// could be heard of in it before. Cluster time goes on from the state's with the first
// leader, so each has the whole time of its policy to come back.
func (s *state) renewLeases() {
	var all []Lease
	s.leases.Scan(func(_ string, l Lease) bool {
		all = append(all, l)
		return true
	})
	for _, l := range all {
		l.Beat = s.time
		s.setLease(l)
	}
}

// beat takes the beats of many workers, each by itself.
func (d *draft) beat() *candor.Error {
	c := d.cmd
	switch {
	case c.Actor != candor.ActorSystem:
		return candor.Errorf(candor.ReasonForbidden, "servers report beats, not %s", c.Actor)
	case c.RequestID != "":
		return candor.Errorf(candor.ReasonInvalid, "beats carry the request ID %s: they are repeated, and never remembered", c.RequestID)
	case len(c.Beats) > command.MaxBeats:
		return candor.Errorf(candor.ReasonInvalid, "%d beats at once; at most %d are taken", len(c.Beats), command.MaxBeats)
	}
	s := d.m.state
	d.items = make([]ItemResult, len(c.Beats))
	for i := range c.Beats {
		x := &c.Beats[i]
		if err := s.heard(x); err != nil {
			d.items[i] = itemRefused(err, s.token.Revision)
			continue
		}
		d.items[i].Revision = s.token.Revision
	}
	items, beats := d.items, c.Beats
	d.effects = append(d.effects, func(s *state) {
		for i := range items {
			if items[i].Reason != "" {
				continue
			}
			if l, ok := s.leases.Get(beats[i].UID); ok && (l.Beat != s.time || l.Promised != beats[i].Promised) {
				l.Beat, l.Promised = s.time, beats[i].Promised
				s.setLease(l)
			}
		}
	})
	return nil
}

// heard refuses a beat of a node that is not there, of a worker that is not the one who
// observed it, and one that promises what cannot be.
func (s *state) heard(x *command.Beat) *candor.Error {
	l, ok := s.leases.Get(x.UID)
	switch {
	case x.Promised < 0 || x.Promised > command.MaxPromised:
		return &candor.Error{Reason: candor.ReasonInvalid, Subject: "nodes/" + clone(x.Node),
			Message: sprintf("the beat of node %s promises %d ns; want 0 to %d", x.Node, x.Promised, command.MaxPromised)}
	case !ok || l.Node != x.Node:
		return &candor.Error{Reason: candor.ReasonNotFound, Subject: "nodes/" + clone(x.Node),
			Message: sprintf("node %s with uid %s does not exist, or its worker never observed it: register first", x.Node, x.UID)}
	case l.Session != x.Session:
		return &candor.Error{Reason: candor.ReasonConflict, Subject: "nodes/" + l.Node,
			Message: sprintf("node %s is of session %s; the beat is of %s: another worker took it over", l.Node, l.Session, x.Session)}
	default:
		return nil
	}
}

func (l Lease) hash() xxh3.Uint128 {
	var scratch [256]byte
	return xxh3.Hash128(appendLease(scratch[:0], l))
}

func appendLease(b []byte, l Lease) []byte {
	b = wire.AppendString(b, 1, l.Node)
	b = wire.AppendString(b, 2, l.UID)
	b = wire.AppendString(b, 3, l.Session)
	b = wire.AppendInt(b, 4, l.Beat)
	return wire.AppendInt(b, 5, l.Promised)
}

func decodeLease(data []byte) (Lease, error) {
	var l Lease
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			l.Node = clone(r.String())
		case 2:
			l.UID = clone(r.String())
		case 3:
			l.Session = clone(r.String())
		case 4:
			l.Beat = r.Int()
		case 5:
			l.Promised = r.Int()
		}
	}
	return l, r.Err()
}
