package server

import (
	"context"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// duties are what the API sees of the duties on this node.
type duties struct{ s *Server }

func (d *duties) Here() []*candorv1.DutyStatus {
	var out []*candorv1.DutyStatus
	for _, x := range d.s.coordinator.Status() {
		out = append(out, &candorv1.DutyStatus{
			Duty: x.Duty, Acting: x.Acting, Believes: x.Believes, Era: x.Era, FollowsLeader: x.Follows,
			RenewedAgo: durationpb.New(x.Renewed), Resting: durationpb.New(x.Resting), Grants: x.Grants, Renewals: x.Renewals, GivenUp: x.GivenUp,
		})
	}
	return out
}

func (d *duties) ClusterTime() int64 { return (&candidate{d.s}).Now().ClusterTime }

func (d *duties) Name(holder string) string {
	id, ok := strings.CutPrefix(holder, string(candor.PartyServer)+"/")
	if !ok {
		return ""
	}
	return d.MemberName(id)
}

func (d *duties) MemberName(id string) string {
	name, _ := d.s.whereIs(id)
	return name
}

func (d *duties) Journals() []transition.Journal { return d.s.executor.Journals() }

// Transfer hands a duty to a member that may be given it, and waits until that one
// has it or the time is over.
func (d *duties) Transfer(ctx context.Context, name, server string) (uint64, error) {
	id, err := (&topology{d.s}).resolve(server)
	if err != nil {
		return 0, err
	}
	duty, bad := tenure.DutyOf(name)
	if bad != nil {
		return 0, bad
	}
	if duty.Name == tenure.DutyTopology {
		return 0, candor.Errorf(candor.ReasonInvalid, "duty %s goes with leadership: candor cluster transfer-leader", duty.Name)
	}
	if strings.HasPrefix(duty.Name, tenure.ControlPrefix) {
		return 0, candor.Errorf(candor.ReasonInvalid, "duty %s is its controllers' own: its holder seals its era for who is to follow", duty.Name)
	}
	era := d.s.machine.View().Tenure(duty).Current.Number
	err = d.s.coordinator.Transfer(ctx, name, string(candor.PartyServer)+"/"+id)
	switch candor.ReasonOf(err) {
	case candor.ReasonNotHosted, candor.ReasonNotFound: // not now, or never
		return 0, d.elsewhere(duty)
	case "":
	default:
		return 0, err
	}
	d.followed(ctx, duty, era)
	return era, nil
}

// followed waits until another era is active, as long as the caller does.
func (d *duties) followed(ctx context.Context, duty tenure.Duty, era uint64) {
	for {
		view, changed := d.s.feed.Changed(candor.KindTenures)
		if l := view.Tenure(duty); l.Current.Number != era || l.Current.State == tenure.StateActive {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		case <-d.s.stopping:
			return
		}
	}
}

// elsewhere is the error of a node that does not hold a duty: who does, where known.
func (d *duties) elsewhere(duty tenure.Duty) error {
	c := d.s.machine.View().Tenure(duty).Current
	id, server := strings.CutPrefix(c.Holder, string(candor.PartyServer)+"/")
	if c.State != tenure.StateActive || !server || id == d.s.serverID {
		return &candor.Error{Reason: candor.ReasonSchedulerDegraded, Subject: duty.Name, Message: "nobody acts under duty " + duty.Name + " now"}
	}
	name, address := d.s.whereIs(id)
	return &candor.Error{
		Reason: candor.ReasonNotHosted, Subject: duty.Name, Message: "duty " + duty.Name + " is held by server " + name,
		Leader: &candor.LeaderHint{ServerID: id, Name: name, Address: address},
	}
}

func (d *duties) AllocIDs(ctx context.Context, n uint64) (first, era uint64, err error) {
	a := d.s.ids.Load()
	if a == nil {
		return 0, 0, d.elsewhere(tenure.Duty{Name: tenure.DutyIDs})
	}
	r, err := a.AllocID(ctx, n)
	return r.First, r.Era, err
}

func (d *duties) AllocTimestamps(ctx context.Context, n uint64) (first, era uint64, err error) {
	a := d.s.tso.Load()
	if a == nil {
		return 0, 0, d.elsewhere(tenure.Duty{Name: tenure.DutyTSO})
	}
	r, err := a.TSO(ctx, n)
	return r.First, r.Era, err
}
