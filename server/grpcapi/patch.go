package grpcapi

import (
	"context"
	"encoding/json"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// patchAttempts is how often a patch without preconditions is applied anew
// because somebody else wrote meanwhile.
const patchAttempts = 8

// Patch reads, patches and writes with the read version as precondition. The
// patch is applied here and not in the turn: what a patch means may change
// with a library's version.
func (s *Objects) Patch(ctx context.Context, in *candorv1.PatchRequest) (*candorv1.PatchResponse, error) {
	ref := candor.Ref{Kind: candor.KindName(in.GetKind()), Namespace: in.GetNamespace(), Name: in.GetName()}
	apply, err := patcher(in)
	if err != nil {
		return nil, err
	}
	// Before anything is told of what is there.
	asked := []command.Operation{{Verb: command.VerbUpdate, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}}
	if err := s.permitted(ctx, asked); err != nil {
		return nil, err
	}
	digest := digestOfRequest(in, in.GetWrite())
	var res *candorv1.WriteResult
	err = s.tracked(ctx, in.GetWrite(), func() error {
		res, err = s.patch(ctx, in, digest, func() (command.Operation, error) {
			return s.patchOperation(ref, in.GetPreconditions(), apply)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &candorv1.PatchResponse{Result: res}, nil
}

// patch applies the patch anew while it may and somebody else was first.
func (s *Objects) patch(ctx context.Context, in *candorv1.PatchRequest, digest uint64, build func() (command.Operation, error)) (*candorv1.WriteResult, error) {
	for attempt := 1; ; attempt++ {
		res, err := s.writeOne(ctx, in.GetWrite(), digest, build)
		if err == nil {
			return res, nil
		}
		moved := candor.ReasonOf(err) == candor.ReasonConflict && in.GetPreconditions().GetResourceVersion() == 0
		if !moved || attempt == patchAttempts {
			return nil, err
		}
		// The view has what was written meanwhile: it has reached the refusal.
		if ctx.Err() != nil {
			return nil, err
		}
	}
}

// maxPatchBytes bounds a patch: it may replace the largest object, and name it.
const maxPatchBytes = 2 * candor.MaxObjectBytes

type patch func(document []byte) ([]byte, error)

func patcher(in *candorv1.PatchRequest) (patch, error) {
	bad := func(err error) error {
		return &candor.Error{Reason: candor.ReasonInvalid, Subject: in.GetName(), Message: "patch: " + err.Error(), Err: err,
			Fields: []candor.FieldViolation{{Path: "patch", Message: err.Error()}}}
	}
	if n := len(in.GetPatch()); n > maxPatchBytes {
		return nil, candor.Errorf(candor.ReasonInvalid, "patch: it has %d bytes; at most %d are allowed", n, maxPatchBytes)
	}
	switch in.GetType() {
	case candorv1.PatchType_PATCH_TYPE_MERGE:
		if !json.Valid(in.GetPatch()) {
			return nil, candor.Errorf(candor.ReasonInvalid, "patch: it is no JSON")
		}
		return func(document []byte) ([]byte, error) {
			out, err := jsonpatch.MergePatch(document, in.GetPatch())
			if err != nil {
				return nil, bad(err)
			}
			return out, nil
		}, nil
	case candorv1.PatchType_PATCH_TYPE_JSON:
		operations, err := jsonpatch.DecodePatch(in.GetPatch())
		if err != nil {
			return nil, bad(err)
		}
		// Operations that copy can double a document over and over.
		options := jsonpatch.NewApplyOptions()
		options.AccumulatedCopySizeLimit = candor.MaxObjectBytes
		return func(document []byte) ([]byte, error) {
			out, err := operations.ApplyWithOptions(document, options)
			if err != nil {
				return nil, bad(err)
			}
			return out, nil
		}, nil
	default:
		return nil, candor.Errorf(candor.ReasonInvalid, "patch type %s: want MERGE or JSON", in.GetType())
	}
}

func (s *Objects) patchOperation(ref candor.Ref, pre *candorv1.Preconditions, apply patch) (command.Operation, error) {
	if _, err := s.kinds.ByName(ref.Kind); err != nil {
		return command.Operation{}, err
	}
	live, err := s.live(ref)
	if err != nil {
		return command.Operation{}, err
	}
	if live == nil {
		return command.Operation{}, &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Message: ref.String() + " does not exist"}
	}
	document, err := json.Marshal(live)
	if err != nil {
		return command.Operation{}, candor.Wrap("patch", err)
	}
	patched, err := apply(document)
	if err != nil {
		return command.Operation{}, err
	}
	next := new(candor.Object)
	if err := json.Unmarshal(patched, next); err != nil {
		return command.Operation{}, candor.Wrap("patch", err)
	}
	if next.Metadata.Name != ref.Name || next.Metadata.Namespace != ref.Namespace || next.APIVersion != live.APIVersion || next.Kind != live.Kind {
		return command.Operation{}, candor.Errorf(candor.ReasonInvalid, "patch: it would change the object's kind, namespace or name; those are fixed")
	}
	next.Metadata.ResourceVersion = live.Metadata.ResourceVersion
	if v := pre.GetResourceVersion(); v != 0 {
		next.Metadata.ResourceVersion = v
	}
	next.Metadata.UID = live.Metadata.UID
	if uid := pre.GetUid(); uid != "" {
		next.Metadata.UID = uid
	}
	return s.updateOperation(next)
}
