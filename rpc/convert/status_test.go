package convert_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/rpc/convert"
)

var reasons = []candor.Reason{
	candor.ReasonInvalid, candor.ReasonNotFound, candor.ReasonConflict, candor.ReasonNotLeader,
	candor.ReasonQueueSaturated, candor.ReasonOutcomeUnknown, candor.ReasonRootLagExceeded, candor.ReasonInternal,
	candor.ReasonNamespaceTerminating, "A_REASON_OF_NEXT_YEAR",
}

func TestErrorRoundTripLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &candor.Error{
			Reason:  rapid.SampledFrom(reasons).Draw(t, "reason"),
			Message: rapid.String().Draw(t, "message"), Subject: rapid.String().Draw(t, "subject"),
			Op: rapid.String().Draw(t, "op"), Revision: rapid.Uint64().Draw(t, "revision"),
			RetryAfter: time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "retryAfter")), Leader: genLeader(t),
		}
		for range rapid.IntRange(0, 3).Draw(t, "fields") {
			want.Fields = append(want.Fields, candor.FieldViolation{
				Path: rapid.String().Draw(t, "path"), Message: rapid.String().Draw(t, "fieldMessage"),
			})
		}
		if rapid.Bool().Draw(t, "hasWitness") {
			want.Witness = genWitness(t)
		}
		st := convert.StatusFromError(fmt.Errorf("wrapped: %w", want))
		if code := uint32(st.Code()); code != want.Reason.Disposition().Code {
			t.Fatalf("%s has code %d, want %d", want.Reason, code, want.Reason.Disposition().Code)
		}
		got := convert.ErrorFromStatus(status.FromProto(overWire(t, st.Proto(), new(spb.Status))).Err())
		if diff := cmp.Diff(error(want), got); diff != "" {
			t.Fatalf("error changed on its way (-sent +arrived):\n%s", diff)
		}
	})
}

func TestErrorWithInvalidUTF8StillCarriesItsReason(t *testing.T) {
	st := convert.StatusFromError(&candor.Error{
		Reason: candor.ReasonInvalid, Message: "name \xff", Subject: "pods/\xfe",
		Fields:  []candor.FieldViolation{{Path: "a\xff", Message: "b\xff"}},
		Witness: &candor.Witness{NodeID: "\xff"},
	})
	data, err := proto.Marshal(st.Proto())
	if err != nil {
		t.Fatalf("the status cannot be sent: %v", err)
	}
	var arrived spb.Status
	if err := proto.Unmarshal(data, &arrived); err != nil {
		t.Fatal(err)
	}
	got := convert.ErrorFromStatus(status.FromProto(&arrived).Err())
	if candor.ReasonOf(got) != candor.ReasonInvalid {
		t.Errorf("reason %s, want INVALID (%v)", candor.ReasonOf(got), got)
	}
}

func TestStatusFromErrorOfOtherErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		code   codes.Code
		reason candor.Reason
	}{
		{"canceled", context.Canceled, codes.Canceled, candor.ReasonCanceled},
		{"deadline", fmt.Errorf("apply: %w", context.DeadlineExceeded), codes.DeadlineExceeded, candor.ReasonTimedOut},
		{"plain", errors.New("boom"), codes.Internal, candor.ReasonInternal},
		{"no reason", &candor.Error{Message: "boom"}, codes.Internal, candor.ReasonInternal},
		{"gRPC status", status.Error(codes.Unavailable, "gone"), codes.Unavailable, candor.ReasonUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := convert.StatusFromError(c.err)
			if st.Code() != c.code {
				t.Errorf("code %v, want %v", st.Code(), c.code)
			}
			if got := candor.ReasonOf(convert.ErrorFromStatus(st.Err())); got != c.reason {
				t.Errorf("reason %v, want %v", got, c.reason)
			}
		})
	}
	if st := convert.StatusFromError(nil); st != nil {
		t.Errorf("nil became %v", st)
	}
}

func TestErrorFromStatusOfTheTransportsOwnErrors(t *testing.T) {
	for code, want := range map[codes.Code]candor.Reason{
		codes.Canceled:           candor.ReasonCanceled,
		codes.DeadlineExceeded:   candor.ReasonTimedOut,
		codes.Unavailable:        candor.ReasonUnavailable,
		codes.Unimplemented:      candor.ReasonUnimplemented,
		codes.Unauthenticated:    candor.ReasonUnauthenticated,
		codes.PermissionDenied:   candor.ReasonForbidden,
		codes.ResourceExhausted:  candor.ReasonTurnTooLarge,
		codes.NotFound:           candor.ReasonInternal,
		codes.AlreadyExists:      candor.ReasonInternal,
		codes.FailedPrecondition: candor.ReasonInternal,
		codes.Unknown:            candor.ReasonInternal,
	} {
		err := status.Error(code, "said by the transport")
		got := convert.ErrorFromStatus(err)
		if candor.ReasonOf(got) != want {
			t.Errorf("%v became %v, want %v", code, candor.ReasonOf(got), want)
		}
		if !errors.Is(got, err) {
			t.Errorf("%v lost its cause", code)
		}
		if _, refused := convert.Refusal(err); refused {
			t.Errorf("%v without our details passes for a server's word", code)
		}
	}
	if convert.ErrorFromStatus(nil) != nil {
		t.Error("nil must stay nil")
	}
}

// FuzzErrorFromStatus: whatever status a peer sends becomes a *candor.Error
// with a reason, and sending that on keeps the reason.
func FuzzErrorFromStatus(f *testing.F) {
	f.Add([]byte{})
	for _, r := range reasons {
		seed, err := proto.Marshal(convert.StatusFromError(&candor.Error{
			Reason: r, Message: "m", Subject: "s", Revision: 7, RetryAfter: time.Second, Op: "get",
			Leader: &candor.LeaderHint{ServerID: "a", Address: "127.0.0.1:1", Term: 3}, Witness: &candor.Witness{NodeID: "n"},
			Fields: []candor.FieldViolation{{Path: "spec", Message: "bad"}},
		}).Proto())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p spb.Status
		if proto.Unmarshal(data, &p) != nil || p.GetCode() == int32(codes.OK) {
			return
		}
		err := convert.ErrorFromStatus(status.FromProto(&p).Err())
		var e *candor.Error
		if !errors.As(err, &e) || e.Reason == "" {
			t.Fatalf("%v became %#v: no reason", &p, err)
		}
		again := convert.ErrorFromStatus(convert.StatusFromError(err).Err())
		if candor.ReasonOf(again) != e.Reason {
			t.Fatalf("reason %s became %s when sent on", e.Reason, candor.ReasonOf(again))
		}
	})
}
