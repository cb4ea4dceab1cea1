package client

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Control is the duty of one group of controllers outside the servers, "control/GROUP".
// Its holder is this client's actor, who must be authenticated or, where access control
// is off, at least named; two processes of one actor are one holder to the root.
//
// Each method puts one event through the root and returns the tenure after it, by the
// view of the node that answered. All may be repeated: one that is done already is
// answered like the first time. Events of an era that is over are refused with
// ERA_STALE; one that cites or covers not what the root has, with LINEAGE_MISMATCH.
type Control struct {
	client *Client
	duty   string
}

// Control of a group of controllers.
func (c *Client) Control(group string) *Control { return &Control{client: c, duty: "control/" + group} }

// Duty is the name of the duty.
func (k *Control) Duty() string { return k.duty }

// Candidate is who campaigns, and from where.
type Candidate struct {
	// Candidacy is drawn anew for every campaign, and kept for its repeats.
	Candidacy string
	// Expect is the newest era that the candidate has seen, 0 for none. Where that is
	// sealed already, Cite is its seal and Start covers its usage.
	Expect uint64
	Cite   string
	Start  Frontiers
	// Duration is how long the era lasts after each renewal.
	Duration time.Duration
}

// Campaign asks for the next era. While another holds the duty, or it is kept for
// another, it asks again when that may end, if ctx lasts so long: else TENURE_HELD.
func (k *Control) Campaign(ctx context.Context, candidate Candidate) (*Tenure, error) {
	return k.change(ctx, "campaign for", &candorv1.ChangeTenureRequest{
		Verb: candorv1.TenureVerb_TENURE_VERB_CAMPAIGN, Era: candidate.Expect, Candidacy: candidate.Candidacy, Cite: candidate.Cite,
		Frontiers: candidate.Start.proto(), Duration: durationpb.New(candidate.Duration),
	})
}

// Renew keeps the era from expiring, for its duration from now on. Whoever acts by
// belief counts it from before the call.
func (k *Control) Renew(ctx context.Context, era uint64) (*Tenure, error) {
	return k.change(ctx, "renew", &candorv1.ChangeTenureRequest{Verb: candorv1.TenureVerb_TENURE_VERB_RENEW, Era: era})
}

// Reserve raises what the era may use, before any of it is used.
func (k *Control) Reserve(ctx context.Context, era uint64, bound Frontiers) (*Tenure, error) {
	return k.change(ctx, "reserve under", &candorv1.ChangeTenureRequest{Verb: candorv1.TenureVerb_TENURE_VERB_RESERVE, Era: era, Frontiers: bound.proto()})
}

// Seal ends the era with what it used. Where to is a holder, client/NAME or server/ID,
// the duty is kept for that one as long as the era would have lasted.
func (k *Control) Seal(ctx context.Context, era uint64, usage Frontiers, to string) (*Tenure, error) {
	return k.change(ctx, "seal", &candorv1.ChangeTenureRequest{Verb: candorv1.TenureVerb_TENURE_VERB_SEAL, Era: era, Frontiers: usage.proto(), To: to})
}

// Confirm says, under the active era, that it covers all that an unfinished one before
// it used, by that one's seal. The oldest comes first.
func (k *Control) Confirm(ctx context.Context, era, predecessor uint64, seal string) (*Tenure, error) {
	return k.change(ctx, "confirm an era of", &candorv1.ChangeTenureRequest{
		Verb: candorv1.TenureVerb_TENURE_VERB_CONFIRM, Era: era, Predecessor: predecessor, Cite: seal,
	})
}

// Close ends, under the active era, the handover of a confirmed one.
func (k *Control) Close(ctx context.Context, era, predecessor uint64) (*Tenure, error) {
	return k.change(ctx, "close an era of", &candorv1.ChangeTenureRequest{Verb: candorv1.TenureVerb_TENURE_VERB_CLOSE, Era: era, Predecessor: predecessor})
}

// Reattach asks for the next era where the caller's own ended that Release closed and
// nobody followed, by that one's seal.
func (k *Control) Reattach(ctx context.Context, era uint64, seal, candidacy string) (*Tenure, error) {
	return k.change(ctx, "reattach", &candorv1.ChangeTenureRequest{
		Verb: candorv1.TenureVerb_TENURE_VERB_REATTACH, Era: era, Cite: seal, Candidacy: candidacy,
	})
}

// Release ends the era with what it used, and leaves the duty to nobody.
func (k *Control) Release(ctx context.Context, era uint64, usage Frontiers) (*Tenure, error) {
	return k.change(ctx, "release", &candorv1.ChangeTenureRequest{Verb: candorv1.TenureVerb_TENURE_VERB_RELEASE, Era: era, Frontiers: usage.proto()})
}

func (k *Control) change(ctx context.Context, what string, in *candorv1.ChangeTenureRequest) (*Tenure, error) {
	in.Duty = k.duty
	out := new(candorv1.ChangeTenureResponse)
	r := request{
		method: candorv1.TenureService_ChangeTenure_FullMethodName, in: in, out: out,
		route: toLeader, effect: true, repeatable: true, subject: k.duty,
	}
	if _, err := k.client.inquire(ctx, &r, k.client.session, out); err != nil {
		return nil, candor.Wrap(what+" duty "+k.duty, err)
	}
	return tenureOf(out.GetTenure()), nil
}
