package server

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// lastAdmissions are the newest requests of clients that were judged: the
// refused ones, and of the others a sample.
func (n *node) lastAdmissions() []*candorv1.AdmissionRecord {
	var out []*candorv1.AdmissionRecord
	for _, j := range n.s.replica.Admissions.Newest() {
		out = append(out, &candorv1.AdmissionRecord{
			At: timestamppb.New(j.At), Class: string(j.Class), Method: strings.TrimPrefix(j.Method, "/candor.v1."),
			Reason: string(j.Reason), Actor: j.Actor,
		})
	}
	return out
}

// lastOutcomes are the requests whose outcome this server learnt last.
func (n *node) lastOutcomes() []*candorv1.OutcomeRecord {
	var out []*candorv1.OutcomeRecord
	for _, e := range n.s.replica.Outcomes.Newest() {
		record := &candorv1.OutcomeRecord{
			Actor: e.Actor, RequestId: e.RequestID, Outcome: convert.OutcomeToProto(e.Outcome), Reason: string(e.Reason),
		}
		if !e.Token.IsZero() {
			record.Token = convert.TokenToProto(e.Token)
		}
		out = append(out, record)
	}
	return out
}
