package grpcapi

import (
	"errors"
	"slices"
	"strconv"

	"github.com/candor-plane/candor"
)

// nameOwners gives owners that the request names by apiVersion and kind, as
// Kubernetes does, the name of their kind, which is what is stored. The error is
// INVALID and names the field.
func (s *Objects) nameOwners(o *candor.Object) error {
	byType := func(owner candor.OwnerReference) bool {
		_, _, ok := owner.Type()
		return ok
	}
	if !slices.ContainsFunc(o.Metadata.Owners, byType) {
		return nil
	}
	owners := slices.Clone(o.Metadata.Owners)
	for i := range owners {
		apiVersion, kind, ok := owners[i].Type()
		if !ok {
			continue
		}
		found, err := s.kinds.ByType(apiVersion, kind)
		if err != nil {
			return ownerFault(o, i, err)
		}
		owners[i].Kind = found.Name()
	}
	o.Metadata.Owners = owners
	return nil
}

func ownerFault(o *candor.Object, i int, err error) error {
	path, message := "metadata.ownerReferences["+strconv.Itoa(i)+"]", err.Error()
	if e, ok := errors.AsType[*candor.Error](err); ok {
		message = e.Message
	}
	return &candor.Error{Reason: candor.ReasonInvalid, Subject: o.Metadata.Name, Message: path + ": " + message, Err: err,
		Fields: []candor.FieldViolation{{Path: path, Message: message}}}
}
