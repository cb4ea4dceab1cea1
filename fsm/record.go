package fsm

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/internal/wire"
	"github.com/candor-plane/candor/internal/zoo"
)

// The bodies of a snapshot's records, and what the digest covers of the small
// tables.

func appendHeader(b []byte, h *SnapshotHeader) []byte {
	b = wire.AppendString(b, 1, h.ClusterID)
	b = wire.AppendString(b, 2, h.HistoryID)
	b = wire.AppendToken(b, 3, h.Token)
	b = wire.AppendInt(b, 4, h.ClusterTime)
	b = wire.AppendUint(b, 5, uint64(h.Level))
	b = wire.AppendUint(b, 6, h.LeaderTerm)
	b = wire.AppendString(b, 7, h.LeaderID)
	b = wire.AppendUint(b, 8, h.Floor)
	b = wire.AppendUint(b, 9, h.Cursor)
	b = wire.AppendUint(b, 10, h.NextCascade)
	b = wire.AppendUint(b, 11, h.Faults)
	b = wire.AppendUint(b, 12, h.Violations)
	b = wire.AppendUint(b, 13, h.Objects)
	b = wire.AppendUint(b, 14, h.Versions)
	b = wire.AppendUint(b, 15, h.Bytes)
	b = wire.AppendBytes(b, 16, h.Digest[:])
	return wire.AppendUint(b, 17, h.AccessEpoch)
}

func decodeHeader(data []byte) (SnapshotHeader, error) {
	var h SnapshotHeader
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			h.ClusterID = clone(r.String())
		case 2:
			h.HistoryID = clone(r.String())
		case 3:
			h.Token = wire.ReadToken(&r)
		case 4:
			h.ClusterTime = r.Int()
		case 5:
			h.Level = uint32(r.Uint())
		case 6:
			h.LeaderTerm = r.Uint()
		case 7:
			h.LeaderID = clone(r.String())
		case 8:
			h.Floor = r.Uint()
		case 9:
			h.Cursor = r.Uint()
		case 10:
			h.NextCascade = r.Uint()
		case 11:
			h.Faults = r.Uint()
		case 12:
			h.Violations = r.Uint()
		case 13:
			h.Objects = r.Uint()
		case 14:
			h.Versions = r.Uint()
		case 15:
			h.Bytes = r.Uint()
		case 16:
			copy(h.Digest[:], r.Bytes())
		case 17:
			h.AccessEpoch = r.Uint()
		}
	}
	return h, r.Err()
}

// appendVersion: superseded versions follow their head.
func appendVersion(b []byte, v *mvcc.Version, position uint64, superseded bool) []byte {
	b = wire.AppendString(b, 1, v.Key)
	b = wire.AppendUint(b, 2, v.Revision)
	b = wire.AppendBool(b, 3, v.Deleted)
	b = wire.AppendUint(b, 4, position)
	b = wire.AppendBool(b, 5, superseded)
	return wire.AppendBytes(b, 6, v.Data)
}

type versionRecord struct {
	key        string
	revision   uint64
	deleted    bool
	position   uint64
	superseded bool
	data       []byte
}

func decodeVersion(data []byte) (versionRecord, error) {
	var v versionRecord
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			v.key = r.String()
		case 2:
			v.revision = r.Uint()
		case 3:
			v.deleted = r.Bool()
		case 4:
			v.position = r.Uint()
		case 5:
			v.superseded = r.Bool()
		case 6:
			v.data = r.Bytes()
		}
	}
	return v, r.Err()
}

func appendCascade(b []byte, c Cascade) []byte {
	b = wire.AppendUint(b, 1, c.ID)
	b = wire.AppendUint(b, 2, uint64(c.Mode))
	b = wire.AppendString(b, 3, string(c.Owner.Kind))
	b = wire.AppendString(b, 4, c.Owner.Namespace)
	b = wire.AppendString(b, 5, c.Owner.Name)
	if !zoo.Enabled || !zoo.Has(zoo.SnapshotOmitsField) {
		b = wire.AppendString(b, 6, c.UID)
	}
	b = wire.AppendBool(b, 7, c.Waits)
	b = wire.AppendUint(b, 8, uint64(c.Kind))
	return wire.AppendString(b, 9, c.Key)
}

func decodeCascade(data []byte) (Cascade, error) {
	var c Cascade
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			c.ID = r.Uint()
		case 2:
			c.Mode = CascadeMode(r.Uint())
		case 3:
			c.Owner.Kind = candor.KindName(clone(r.String()))
		case 4:
			c.Owner.Namespace = clone(r.String())
		case 5:
			c.Owner.Name = clone(r.String())
		case 6:
			c.UID = clone(r.String())
		case 7:
			c.Waits = r.Bool()
		case 8:
			c.Kind = uint32(r.Uint())
		case 9:
			c.Key = clone(r.String())
		}
	}
	return c, r.Err()
}

func appendMember(b []byte, m Member) []byte {
	b = wire.AppendString(b, 1, m.ServerID)
	b = wire.AppendString(b, 2, m.Name)
	b = wire.AppendUint(b, 3, uint64(m.Level))
	return wire.AppendString(b, 4, m.APIAddress)
}

func decodeMember(data []byte) (Member, error) {
	var m Member
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			m.ServerID = clone(r.String())
		case 2:
			m.Name = clone(r.String())
		case 3:
			m.Level = uint32(r.Uint())
		case 4:
			m.APIAddress = clone(r.String())
		}
	}
	return m, r.Err()
}

func appendRecord(b []byte, x *Record) []byte {
	b = wire.AppendUint(b, 1, x.Index)
	b = wire.AppendUint(b, 2, uint64(x.Ordinal))
	b = wire.AppendString(b, 3, string(x.Reason))
	b = wire.AppendString(b, 4, x.Invariant)
	b = wire.AppendString(b, 5, x.Subject)
	b = wire.AppendString(b, 6, x.Actor)
	return wire.AppendString(b, 7, x.Detail)
}

func decodeRecord(data []byte) (Record, error) {
	var x Record
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			x.Index = r.Uint()
		case 2:
			x.Ordinal = uint32(r.Uint())
		case 3:
			x.Reason = candor.Reason(clone(r.String()))
		case 4:
			x.Invariant = clone(r.String())
		case 5:
			x.Subject = clone(r.String())
		case 6:
			x.Actor = clone(r.String())
		case 7:
			x.Detail = clone(r.String())
		}
	}
	return x, r.Err()
}

func appendRemembered(b []byte, x *Remembered) []byte {
	b = wire.AppendString(b, 1, x.Actor)
	b = wire.AppendString(b, 2, x.RequestID)
	b = wire.AppendUint(b, 3, x.Digest)
	b = wire.AppendInt(b, 4, x.NotAfter)
	b = wire.AppendToken(b, 5, x.Token)
	b = wire.AppendBool(b, 6, x.Changed)
	return wire.AppendBool(b, 7, x.Succeeded)
}

func decodeRemembered(data []byte) (*Remembered, error) {
	x := new(Remembered)
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			x.Actor = clone(r.String())
		case 2:
			x.RequestID = clone(r.String())
		case 3:
			x.Digest = r.Uint()
		case 4:
			x.NotAfter = r.Int()
		case 5:
			x.Token = wire.ReadToken(&r)
		case 6:
			x.Changed = r.Bool()
		case 7:
			x.Succeeded = r.Bool()
		}
	}
	return x, r.Err()
}
