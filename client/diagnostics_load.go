package client

import (
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// AdmissionRecord is one request that a node judged.
type AdmissionRecord struct {
	At     time.Time             `json:"at,omitzero"`
	Class  candor.AdmissionClass `json:"class"`
	Method string                `json:"method"`
	Reason candor.Reason         `json:"reason"`
	Actor  string                `json:"actor,omitempty"`
}

// OutcomeRecord is one write whose outcome a node knows.
type OutcomeRecord struct {
	Actor     string         `json:"actor,omitempty"`
	RequestID string         `json:"requestID,omitempty"`
	Outcome   candor.Outcome `json:"outcome"`
	Reason    candor.Reason  `json:"reason,omitempty"`
	Token     candor.Token   `json:"token,omitzero"`
}

// ReadCount is how many reads a node has served in one way since its start.
type ReadCount struct {
	Freshness candor.Freshness `json:"freshness"`
	Mechanism candor.Mechanism `json:"mechanism"`
	Count     uint64           `json:"count"`
}

// RaftLoad is how busy raft's threads were lately, each from 0 to 1.
type RaftLoad struct {
	Main  float64 `json:"main"`
	Apply float64 `json:"apply"`
}

func admissionRecords(list []*candorv1.AdmissionRecord) []AdmissionRecord {
	var out []AdmissionRecord
	for _, p := range list {
		r := AdmissionRecord{
			Class: candor.AdmissionClass(p.GetClass()), Method: p.GetMethod(), Reason: candor.Reason(p.GetReason()), Actor: p.GetActor(),
		}
		if at := p.GetAt(); at != nil {
			r.At = at.AsTime()
		}
		out = append(out, r)
	}
	return out
}

func outcomeRecords(list []*candorv1.OutcomeRecord) []OutcomeRecord {
	var out []OutcomeRecord
	for _, p := range list {
		out = append(out, OutcomeRecord{
			Actor: p.GetActor(), RequestID: p.GetRequestId(), Outcome: convert.OutcomeFromProto(p.GetOutcome()),
			Reason: candor.Reason(p.GetReason()), Token: convert.TokenFromProto(p.GetToken()),
		})
	}
	return out
}

func readCounts(list []*candorv1.ReadCount) []ReadCount {
	var out []ReadCount
	for _, p := range list {
		out = append(out, ReadCount{
			Freshness: convert.FreshnessFromProto(p.GetFreshness()), Mechanism: convert.MechanismFromProto(p.GetMechanism()),
			Count: p.GetCount(),
		})
	}
	return out
}

func raftLoad(p *candorv1.RaftLoad) *RaftLoad {
	if p == nil {
		return nil
	}
	return &RaftLoad{Main: p.GetMain(), Apply: p.GetApply()}
}
