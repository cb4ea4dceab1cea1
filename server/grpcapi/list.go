package grpcapi

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// pageBytes ends a page early, so that no answer outgrows the message limit.
const pageBytes = 4 << 20

// List reads one page of a kind, at one revision for all pages.
func (s *Objects) List(ctx context.Context, in *candorv1.ListRequest) (*candorv1.ListResponse, error) {
	selector, err := candor.ParseSelector(in.GetLabelSelector())
	if err != nil {
		return nil, err
	}
	q := readRequest(in.GetRead())
	after := ""
	if in.GetContinue() != "" {
		if after, q.AtRevision, err = parseContinue(in, s.machine.View().HistoryID()); err != nil {
			return nil, err
		}
	}
	view, witness, err := s.reader.View(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := mayRead(ctx, view, policy.List, in.GetKind(), in.GetNamespace(), ""); err != nil {
		return nil, withWitness(err, witness)
	}
	kind := candor.KindName(in.GetKind())
	if _, err := s.kinds.ByName(kind); err != nil {
		return nil, withWitness(err, witness)
	}
	limit := int(in.GetLimit())
	if limit <= 0 || limit > candor.MaxPageObjects {
		limit = candor.MaxPageObjects
	}
	out := &candorv1.ListResponse{Revision: q.AtRevision, Witness: convert.WitnessToProto(&witness)}
	if out.GetRevision() == 0 {
		out.Revision = view.Token().Revision
	}
	size, last := 0, ""
	err = view.List(kind, in.GetNamespace(), after, out.GetRevision(), func(v *mvcc.Version) bool {
		if len(out.GetObjects()) == limit || size > pageBytes {
			out.Continue = formatContinue(in, view.HistoryID(), last, out.GetRevision())
			return false
		}
		if !selector.Empty() && !selector.Matches(wire.DecodeLabels(v.Data)) {
			return true
		}
		out.Objects = append(out.Objects, objectOf(v))
		size += len(v.Data)
		last = v.Key
		return true
	})
	if err == nil {
		err = s.stillReadable(q.AtRevision)
	}
	if err != nil {
		return nil, withWitness(err, witness)
	}
	return out, nil
}

// sealBytes end a continue token. They tell one of this history and of this
// list from any other and from a damaged one: where such a list goes on, it
// would leave objects out. They are no secret.
const sealBytes = 8

func formatContinue(in *candorv1.ListRequest, history, key string, revision uint64) string {
	position := strconv.FormatUint(revision, 10) + " " + key
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64([]byte(position), seal(in, history, position)))
}

func seal(in *candorv1.ListRequest, history, position string) uint64 {
	return xxh3.HashString(strings.Join([]string{history, in.GetKind(), in.GetNamespace(), in.GetLabelSelector(), position}, "\x00"))
}

func parseContinue(in *candorv1.ListRequest, history string) (after string, revision uint64, err error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(in.GetContinue())
	if err == nil && len(data) > sealBytes {
		position := string(data[:len(data)-sealBytes])
		if binary.BigEndian.Uint64(data[len(position):]) == seal(in, history, position) {
			number, key, _ := strings.Cut(position, " ")
			if revision, err = strconv.ParseUint(number, 10, 64); err == nil {
				return key, revision, nil
			}
		}
	}
	return "", 0, candor.Errorf(candor.ReasonInvalid, "continue token is not one that this API gave for this list: list again from the beginning")
}
