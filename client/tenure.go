package client

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Frontiers are the highest values that were, or may have been, used under a duty.
type Frontiers struct {
	ID         uint64 `json:"id,string"`
	Timestamp  uint64 `json:"timestamp,string"`
	Transition uint64 `json:"transition,string"`
}

// Era is one holder's time with a duty. Instants are cluster times, in nanoseconds.
type Era struct {
	Number uint64 `json:"era"`
	// Holder is server/ID or client/NAME; HolderName the name of a member.
	Holder     string `json:"holder"`
	HolderName string `json:"holderName,omitempty"`
	// State is ACTIVE, SEALED, CONFIRMED, CLOSED or REATTACHED.
	State     string `json:"state"`
	Candidacy string `json:"candidacy,omitempty"`
	GrantedAt int64  `json:"grantedAt,string"`
	// Duration is how long the era lasts after a renewal.
	Duration     time.Duration `json:"duration"`
	RenewedUntil int64         `json:"renewedUntil,string"`
	// Start is inherited; Bound is the most that it may use; Usage, once it is sealed,
	// what it did use at most.
	Start Frontiers  `json:"start"`
	Bound Frontiers  `json:"bound"`
	Usage *Frontiers `json:"usage,omitempty"`
	// Predecessor is the era before, 0 for none, and Lineage the digest of its seal.
	Predecessor uint64 `json:"predecessor,omitempty"`
	Lineage     string `json:"lineage,omitempty"`
	// Seal is of a sealed era; Sealing is EXACT where its holder said what it used, and
	// BOUND where another sealed it with all that it may have used.
	Seal     string `json:"seal,omitempty"`
	Sealing  string `json:"sealing,omitempty"`
	SealedBy string `json:"sealedBy,omitempty"`
	SealedAt int64  `json:"sealedAt,string,omitempty"`
	// Successor is whom the duty is kept for.
	Successor string `json:"successor,omitempty"`
}

// Active says that the holder acts.
func (e *Era) Active() bool { return e != nil && e.State == "ACTIVE" }

// Tenure is the right to one duty: who holds it, and what is left of eras before.
type Tenure struct {
	Duty string `json:"duty"`
	// Mandate is FENCED or BELIEF.
	Mandate string `json:"mandate"`
	// Current is the newest era; nil of a duty that nobody has held.
	Current *Era `json:"current,omitempty"`
	// Unfinished are eras whose handover is not over, oldest first; Finished is the
	// newest of the others.
	Unfinished []Era `json:"unfinished,omitempty"`
	Finished   *Era  `json:"finished,omitempty"`
}

// DutyStatus is how one node goes about a duty that it may hold.
type DutyStatus struct {
	Duty string `json:"duty"`
	// Acting under Era; Believes says that it may answer out of its own memory.
	Acting   bool   `json:"acting"`
	Believes bool   `json:"believes"`
	Era      uint64 `json:"era,omitempty"`
	// FollowsLeader says that the duty goes with leadership.
	FollowsLeader bool          `json:"followsLeader"`
	RenewedAgo    time.Duration `json:"renewedAgo,omitempty"`
	// Resting is for how long it does not campaign, after it gave the duty up or away.
	Resting time.Duration `json:"resting,omitempty"`
	// Grants, Renewals and GivenUp are of this node, since it started.
	Grants   uint64 `json:"grants"`
	Renewals uint64 `json:"renewals"`
	GivenUp  uint64 `json:"givenUp"`
}

// Tenures are the duties by one node's view, and how that node stands to them.
type Tenures struct {
	Tenures []Tenure     `json:"tenures"`
	Here    []DutyStatus `json:"here"`
	// ClusterTime is about what it is now, in nanoseconds.
	ClusterTime int64           `json:"clusterTime,string"`
	Witness     *candor.Witness `json:"witness,omitempty"`
}

// Tenures asks any node, or with OnEndpoint that one. Of the options only that and
// WithoutSession apply: the answer is the node's own word.
func (c *Client) Tenures(ctx context.Context, options ...ReadOption) (*Tenures, error) {
	out := new(candorv1.TenuresResponse)
	w, err := c.Cluster().ask(ctx, candorv1.TenureService_Tenures_FullMethodName, &candorv1.TenuresRequest{}, out, options)
	if err != nil {
		return nil, candor.Wrap("tenures", err)
	}
	t := &Tenures{ClusterTime: out.GetClusterTime(), Witness: w}
	for _, x := range out.GetTenures() {
		t.Tenures = append(t.Tenures, *tenureOf(x))
	}
	for _, x := range out.GetHere() {
		t.Here = append(t.Here, DutyStatus{
			Duty: x.GetDuty(), Acting: x.GetActing(), Believes: x.GetBelieves(), Era: x.GetEra(), FollowsLeader: x.GetFollowsLeader(),
			RenewedAgo: x.GetRenewedAgo().AsDuration(), Resting: x.GetResting().AsDuration(),
			Grants: x.GetGrants(), Renewals: x.GetRenewals(), GivenUp: x.GetGivenUp(),
		})
	}
	return t, nil
}

// Transferred is what became of a handover.
type Transferred struct {
	// SealedEra is the one that was handed over. Where it is the tenure's own the
	// server held the duty already, and now keeps it when leadership goes.
	SealedEra uint64 `json:"sealedEra"`
	// Tenure is as it stood when the holder answered.
	Tenure  Tenure          `json:"tenure"`
	Witness *candor.Witness `json:"witness,omitempty"`
}

// TransferTenure has the holder of a duty hand it to a member, by name or ID, which
// keeps it until it stops or another transfer. It returns once an era follows the
// sealed one, or ctx ends; who did not take the duty in time may find that another has.
// OUTCOME_UNKNOWN: Tenures tells what became of it. It may be repeated.
func (c *Client) TransferTenure(ctx context.Context, duty, server string) (*Transferred, error) {
	out := new(candorv1.TransferTenureResponse)
	r := request{
		method: candorv1.TenureService_TransferTenure_FullMethodName, in: &candorv1.TransferTenureRequest{Duty: duty, Server: server}, out: out,
		route: toHolder, duty: duty, effect: true, repeatable: true, subject: duty,
	}
	w, err := c.inquire(ctx, &r, c.session, out)
	if err != nil {
		return nil, candor.Wrap("transfer duty "+duty, err)
	}
	c.holders.forget(duty, r.endpoint)
	return &Transferred{SealedEra: out.GetSealedEra(), Tenure: *tenureOf(out.GetTenure()), Witness: w}, nil
}

func tenureOf(x *candorv1.Tenure) *Tenure {
	t := &Tenure{Duty: x.GetDuty(), Mandate: x.GetMandate(), Current: eraOf(x.GetCurrent()), Finished: eraOf(x.GetFinished())}
	for _, u := range x.GetUnfinished() {
		t.Unfinished = append(t.Unfinished, *eraOf(u))
	}
	return t
}

func eraOf(x *candorv1.Era) *Era {
	if x == nil {
		return nil
	}
	e := &Era{
		Number: x.GetNumber(), Holder: x.GetHolder(), HolderName: x.GetHolderName(), State: x.GetState(), Candidacy: x.GetCandidacy(),
		GrantedAt: x.GetGrantedAt(), Duration: x.GetDuration().AsDuration(), RenewedUntil: x.GetRenewedUntil(),
		Start: frontiersOf(x.GetStart()), Bound: frontiersOf(x.GetBound()), Predecessor: x.GetPredecessor(), Lineage: x.GetLineage(),
		Seal: x.GetSeal(), Sealing: x.GetSealing(), SealedBy: x.GetSealedBy(), SealedAt: x.GetSealedAt(), Successor: x.GetSuccessor(),
	}
	if x.GetUsage() != nil {
		usage := frontiersOf(x.GetUsage())
		e.Usage = &usage
	}
	return e
}

func frontiersOf(x *candorv1.Frontiers) Frontiers {
	return Frontiers{ID: x.GetId(), Timestamp: x.GetTimestamp(), Transition: x.GetTransition()}
}

func (f Frontiers) proto() *candorv1.Frontiers {
	return &candorv1.Frontiers{Id: f.ID, Timestamp: f.Timestamp, Transition: f.Transition}
}
