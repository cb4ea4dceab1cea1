package grpcapi

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
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
		if after, q.AtRevision, err = parseContinue(in.GetContinue()); err != nil {
			return nil, err
		}
	}
	view, witness, err := s.reader.View(ctx, q)
	if err != nil {
		return nil, err
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
			out.Continue = formatContinue(last, out.GetRevision())
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

func formatContinue(key string, revision uint64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatUint(revision, 10) + " " + key))
}

func parseContinue(token string) (after string, revision uint64, err error) {
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		number, key, found := strings.Cut(string(data), " ")
		if revision, err = strconv.ParseUint(number, 10, 64); err == nil && found && revision > 0 && key != "" {
			return key, revision, nil
		}
	}
	return "", 0, candor.Errorf(candor.ReasonInvalid, "continue token is not one that this API gave: list again from the beginning")
}
