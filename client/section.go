package client

import (
	"context"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// PatchType is the language of a patch.
type PatchType uint8

// The patch types.
const (
	PatchMerge PatchType = iota + 1 // RFC 7386
	PatchJSON                       // RFC 6902
)

// Patch changes an object by a patch of its JSON form.
func (c *Client) Patch(ctx context.Context, ref candor.Ref, patchType PatchType, patch []byte, options ...WriteOption) (Result, error) {
	result, err := c.patch(ctx, ref, patchType, patch, options)
	if err != nil {
		return result, candor.Wrap("patch "+ref.String(), err)
	}
	return result, nil
}

func (c *Client) patch(ctx context.Context, ref candor.Ref, patchType PatchType, patch []byte, options []WriteOption) (Result, error) {
	var language candorv1.PatchType
	switch patchType {
	case PatchMerge:
		language = candorv1.PatchType_PATCH_TYPE_MERGE
	case PatchJSON:
		language = candorv1.PatchType_PATCH_TYPE_JSON
	default:
		return Result{}, candor.Errorf(candor.ReasonInvalid, "patch type %d: want PatchMerge or PatchJSON", patchType)
	}
	var w write
	if err := w.begin(options, true, false); err != nil {
		return Result{}, err
	}
	in := &candorv1.PatchRequest{
		Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name, Type: language, Patch: patch,
		Preconditions: w.terms.preconditions(), Write: w.options,
	}
	out := new(candorv1.PatchResponse)
	if err := c.push(ctx, &w, candorv1.ObjectService_Patch_FullMethodName, in, out); err != nil {
		return Result{}, err
	}
	return c.finish(&w, out.GetResult())
}

// UpdateStatus replaces the reconciled part of status; for controllers.
func (c *Client) UpdateStatus(ctx context.Context, ref candor.Ref, status []byte, options ...WriteOption) (Result, error) {
	result, err := c.updateStatus(ctx, ref, status, options)
	if err != nil {
		return result, candor.Wrap("update status of "+ref.String(), err)
	}
	return result, nil
}

func (c *Client) updateStatus(ctx context.Context, ref candor.Ref, status []byte, options []WriteOption) (Result, error) {
	var w write
	if err := w.begin(options, true, false); err != nil {
		return Result{}, err
	}
	in := statusRequest(ref, status)
	in.Preconditions, in.Write = w.terms.preconditions(), w.options
	out := new(candorv1.UpdateStatusResponse)
	if err := c.push(ctx, &w, candorv1.ObjectService_UpdateStatus_FullMethodName, in, out); err != nil {
		return Result{}, err
	}
	return c.finish(&w, out.GetResult())
}

// Observe replaces status.observed; for workers and other observers.
func (c *Client) Observe(ctx context.Context, ref candor.Ref, observed []byte, options ...WriteOption) (Result, error) {
	result, err := c.observe(ctx, ref, observed, options)
	if err != nil {
		return result, candor.Wrap("observe "+ref.String(), err)
	}
	return result, nil
}

func (c *Client) observe(ctx context.Context, ref candor.Ref, observed []byte, options []WriteOption) (Result, error) {
	var w write
	if err := w.begin(options, true, false); err != nil {
		return Result{}, err
	}
	in := observeRequest(ref, observed)
	in.Preconditions, in.Write = w.terms.preconditions(), w.options
	out := new(candorv1.ObserveResponse)
	if err := c.push(ctx, &w, candorv1.ObjectService_Observe_FullMethodName, in, out); err != nil {
		return Result{}, err
	}
	return c.finish(&w, out.GetResult())
}

// Delete removes an object, or marks it as terminating where finalizers hold
// it: Result.Removed tells which.
func (c *Client) Delete(ctx context.Context, ref candor.Ref, options ...WriteOption) (Result, error) {
	result, err := c.delete(ctx, ref, options)
	if err != nil {
		return result, candor.Wrap("delete "+ref.String(), err)
	}
	return result, nil
}

func (c *Client) delete(ctx context.Context, ref candor.Ref, options []WriteOption) (Result, error) {
	var w write
	if err := w.begin(options, true, true); err != nil {
		return Result{}, err
	}
	in, err := deleteRequest(ref, &w.terms)
	if err != nil {
		return Result{}, err
	}
	in.Write = w.options
	out := new(candorv1.DeleteResponse)
	if err := c.push(ctx, &w, candorv1.ObjectService_Delete_FullMethodName, in, out); err != nil {
		return Result{}, err
	}
	result, err := c.finish(&w, out.GetResult())
	result.Removed = out.GetRemoved()
	return result, err
}

func statusRequest(ref candor.Ref, status []byte) *candorv1.UpdateStatusRequest {
	return &candorv1.UpdateStatusRequest{Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name, Status: status}
}

func observeRequest(ref candor.Ref, observed []byte) *candorv1.ObserveRequest {
	return &candorv1.ObserveRequest{Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name, Observed: observed}
}

func deleteRequest(ref candor.Ref, t *writeTerms) (*candorv1.DeleteRequest, error) {
	propagation := convert.PropagationToProto(t.propagation)
	if t.propagation != "" && propagation == candorv1.PropagationPolicy_PROPAGATION_POLICY_UNSPECIFIED {
		return nil, candor.Errorf(candor.ReasonInvalid, "propagation %q: want %s, %s or %s",
			t.propagation, candor.PropagateBackground, candor.PropagateForeground, candor.PropagateOrphan)
	}
	return &candorv1.DeleteRequest{
		Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name,
		Preconditions: t.preconditions(), Propagation: propagation,
	}, nil
}
