package convert

import (
	"strconv"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// domain is that of every ErrorInfo of ours.
const domain = "candor"

// The keys of ErrorInfo.metadata; an absent key is an empty value.
const (
	keySubject       = "subject"
	keyRevision      = "revision"
	keyOp            = "op"
	keyLeaderID      = "leader_id"
	keyLeaderName    = "leader_name"
	keyLeaderAddress = "leader_address"
	keyLeaderTerm    = "leader_term"
)

// withDetails adds what e says: ErrorInfo always, and RetryInfo, BadRequest,
// PreconditionFailure, ResourceInfo and the refusing node's witness where they
// fit.
func withDetails(st *status.Status, e *candor.Error) *status.Status {
	reason := e.Reason
	if reason == "" {
		reason = candor.ReasonInternal
	}
	details := []protoadapt.MessageV1{
		&errdetails.ErrorInfo{Reason: text(string(reason)), Domain: domain, Metadata: infoMetadata(e)},
	}
	if e.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	if len(e.Fields) > 0 {
		details = append(details, badRequest(e.Fields))
	}
	if code := st.Code(); code == codes.FailedPrecondition || code == codes.Aborted {
		details = append(details, &errdetails.PreconditionFailure{
			Violations: []*errdetails.PreconditionFailure_Violation{
				{Type: text(string(reason)), Subject: text(e.Subject), Description: text(e.Message)},
			},
		})
	}
	if e.Subject != "" && aboutObject(reason) {
		details = append(details, &errdetails.ResourceInfo{ResourceName: text(e.Subject), Description: text(e.Message)})
	}
	out, err := st.WithDetails(details...)
	if err != nil {
		return st // unreachable: every detail above is valid UTF-8, and st is not OK
	}
	if e.Witness == nil {
		return out
	}
	witnessed, err := out.WithDetails(WitnessToProto(e.Witness))
	if err != nil {
		return out // a witness with invalid UTF-8 must not cost the caller the reason
	}
	return witnessed
}

// refusal reads what withDetails wrote; nil when st has no ErrorInfo of ours.
func refusal(st *status.Status) *candor.Error {
	e := &candor.Error{Message: st.Message()}
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() == domain {
				e.Reason = candor.Reason(d.GetReason())
				readInfoMetadata(e, d.GetMetadata())
			}
		case *errdetails.RetryInfo:
			e.RetryAfter = max(0, d.GetRetryDelay().AsDuration())
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				e.Fields = append(e.Fields, candor.FieldViolation{Path: v.GetField(), Message: v.GetDescription()})
			}
		case *candorv1.Witness:
			e.Witness = WitnessFromProto(d)
		}
	}
	if e.Reason == "" {
		return nil
	}
	return e
}

func infoMetadata(e *candor.Error) map[string]string {
	m := map[string]string{}
	put := func(key, value string) {
		if value != "" {
			m[key] = text(value)
		}
	}
	put(keySubject, e.Subject)
	put(keyOp, e.Op)
	if e.Revision != 0 {
		put(keyRevision, strconv.FormatUint(e.Revision, 10))
	}
	if e.Leader != nil {
		put(keyLeaderID, e.Leader.ServerID)
		put(keyLeaderName, e.Leader.Name)
		put(keyLeaderAddress, e.Leader.Address)
		if e.Leader.Term != 0 {
			put(keyLeaderTerm, strconv.FormatUint(e.Leader.Term, 10))
		}
	}
	return m
}

func readInfoMetadata(e *candor.Error, m map[string]string) {
	e.Subject, e.Op, e.Revision = m[keySubject], m[keyOp], number(m[keyRevision])
	hint := candor.LeaderHint{
		ServerID: m[keyLeaderID], Name: m[keyLeaderName], Address: m[keyLeaderAddress], Term: number(m[keyLeaderTerm]),
	}
	if hint != (candor.LeaderHint{}) {
		e.Leader = &hint
	}
}

// number reads what is no number as 0, "none": a hint is worth no second error.
func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func badRequest(fields []candor.FieldViolation) *errdetails.BadRequest {
	b := &errdetails.BadRequest{}
	for _, f := range fields {
		b.FieldViolations = append(b.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: text(f.Path), Description: text(f.Message),
		})
	}
	return b
}

// aboutObject: the subject of such an error is an object or a kind.
func aboutObject(r candor.Reason) bool {
	switch r {
	case candor.ReasonNotFound, candor.ReasonAlreadyExists, candor.ReasonConflict, candor.ReasonUnknownKind,
		candor.ReasonOwnerInvalid, candor.ReasonSectionForbidden, candor.ReasonNamespaceTerminating,
		candor.ReasonKindInUse:
		return true
	default:
		return false
	}
}
