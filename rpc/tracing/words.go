package tracing

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// The names of spans below a server's: of a write, and of a read. Spans of calls
// and of servers are named as their gRPC method.
const (
	StepAdmission = "admission"
	StepQueue     = "queue"
	StepPropose   = "propose"
	StepCommit    = "commit"
	StepApply     = "apply"
	StepForward   = "forward"

	StepConfirm = "confirm"
	StepProbe   = "probe"
	StepWait    = "wait for applied"
)

// The attributes of spans: who and where, then of refusals, of entries and turns,
// and of witnesses. Values that are enums are the protocol's words.
const (
	NodeID   = attribute.Key("candor.node.id")
	NodeName = attribute.Key("candor.node.name")
	Endpoint = attribute.Key("candor.endpoint")
	LeaderID = attribute.Key("candor.leader.id")

	Attempt   = attribute.Key("candor.attempt")
	Decision  = attribute.Key("candor.decision")
	Reason    = attribute.Key("candor.reason")
	Retry     = attribute.Key("candor.retry")
	RequestID = attribute.Key("candor.request_id")

	Term     = attribute.Key("candor.term")
	Index    = attribute.Key("candor.index")
	Revision = attribute.Key("candor.revision")
	Commands = attribute.Key("candor.entry.commands")
	Bytes    = attribute.Key("candor.entry.bytes")
	Changed  = attribute.Key("candor.changed")
	Replayed = attribute.Key("candor.replayed")

	Accepted       = attribute.Key("candor.accepted_root_token")
	Served         = attribute.Key("candor.served_root_token")
	AskedFreshness = attribute.Key("candor.requested_freshness")
	Freshness      = attribute.Key("candor.served_freshness")
	ServingClass   = attribute.Key("candor.serving_class")
	Mechanism      = attribute.Key("candor.mechanism")
	ServedByLeader = attribute.Key("candor.served_by_leader")
	CatchUp        = attribute.Key("candor.catch_up_state")
	Mode           = attribute.Key("candor.degraded_mode")
	RootLag        = attribute.Key("candor.root_lag")
	StalenessMS    = attribute.Key("candor.staleness_bound_ms")
)

// Refusal is a reason and what a client may do about it; nothing for none.
func Refusal(reason candor.Reason) []attribute.KeyValue {
	if reason == "" {
		return nil
	}
	return []attribute.KeyValue{Reason.String(string(reason)), Retry.String(string(reason.Disposition().Retry))}
}

// Method is the attributes of a gRPC method, "/package.Service/Method", and
// SpanName the name of its spans.
func Method(full string) []attribute.KeyValue {
	service, method, _ := strings.Cut(SpanName(full), "/")
	return []attribute.KeyValue{
		attribute.String("rpc.system", "grpc"), attribute.String("rpc.service", service), attribute.String("rpc.method", method),
	}
}

// SpanName is the method without its first slash.
func SpanName(full string) string { return strings.TrimPrefix(full, "/") }

// Witness is what a witness says; what it does not is absent.
func Witness(w *candor.Witness) []attribute.KeyValue {
	if w == nil {
		return nil
	}
	out := []attribute.KeyValue{Served.String(w.ServedToken.String()), ServedByLeader.Bool(w.ServedByLeader)}
	word := func(key attribute.Key, value string) {
		if value != "" {
			out = append(out, key.String(value))
		}
	}
	word(AskedFreshness, string(w.Requested))
	word(Freshness, string(w.Served))
	word(ServingClass, string(w.Class))
	word(Mechanism, string(w.Mechanism))
	word(CatchUp, string(w.CatchUp))
	word(Mode, string(w.Mode))
	if w.RootLag != nil {
		out = append(out, RootLag.Int64(int64(*w.RootLag)))
	}
	if w.StalenessBound != nil {
		out = append(out, StalenessMS.Float64(float64(w.StalenessBound.Microseconds())/1000))
	}
	return out
}

// Answer is what an answer of a service says of itself.
func Answer(message any) []attribute.KeyValue {
	switch m := message.(type) {
	case *candorv1.GetResponse:
		return Witness(convert.WitnessOfGet(m))
	case interface{ GetWitness() *candorv1.Witness }:
		return Witness(convert.WitnessFromProto(m.GetWitness()))
	case interface{ GetResult() *candorv1.WriteResult }:
		out := Witness(convert.WitnessFromProto(m.GetResult().GetWitness()))
		if t := m.GetResult().GetAcceptedRootToken(); t != nil {
			out = append(out, Accepted.String(convert.TokenFromProto(t).String()), Changed.Bool(m.GetResult().GetChanged()))
		}
		return out
	default:
		return nil
	}
}
