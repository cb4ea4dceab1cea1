package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/tenure"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// TestCrashesInTheMiddleOfAHandover: of the holder or of who is to follow, when an
// operator moves a duty; of who takes over from one that was killed; of the leader of a
// new term; of a server that stops; of a holder that reserves numbers, hands them out,
// or pages a cascade. No number comes twice, and every handover ends.
func TestCrashesInTheMiddleOfAHandover(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	f := failingCluster(ctx, t)
	ids, tso, janitor := tenure.DutyIDs, tenure.DutyTSO, tenure.DutyJanitor

	of := map[string][]string{"handover/seal": {ids}, "handover/sealed": {tso}}
	for _, x := range f.rows(of, ids, tso, janitor) {
		f.crash(ctx, x, f.only(f.settled(ctx, x.subject)), f.moves(ctx, x.subject, 0))
	}
	of = map[string][]string{"handover/campaign": {tso}, "handover/granted": {ids}, "handover/finish": {tso}}
	for i, x := range f.rows(of, ids, tso, janitor) {
		f.crash(ctx, x, f.only(f.next(f.settled(ctx, x.subject), i)), f.moves(ctx, x.subject, i))
	}
	for _, x := range f.rows(map[string][]string{"handover/finish": {ids}, "handover/campaign": nil, "handover/granted": {tenure.DutyTopology}}, ids, tso, janitor, tenure.DutyTopology) {
		x.hit, x.late = map[string]string{"handover/finish": "2"}[x.point], false // a majority is down
		f.crashAfterAKill(ctx, x)
	}
	f.crashAfterAKill(ctx, place{point: "leader/started"})

	reserves := map[string]func(context.Context){ids: f.takesMany(ids), tso: f.takesMany(tso)}
	for _, x := range f.rows(map[string][]string{"allocator/reserve": {tso}, "allocator/reserved": {ids}}, ids, tso) {
		f.crash(ctx, x, f.only(f.settled(ctx, x.subject)), reserves[x.subject])
	}
	f.crash(ctx, place{point: "allocator/taken", subject: tso, hit: "20", late: true}, f.only(f.settled(ctx, tso)), func(context.Context) {})
	for i, point := range []string{"janitor/page", "janitor/paged"} {
		f.crash(ctx, place{point: point, late: i == 0}, f.only(f.settled(ctx, janitor)), f.cascades(fmt.Sprintf("owner-%d", i)))
	}
	for _, point := range []string{"stop/sealed", "stop/closed"} {
		leader := f.leader(ctx, f.k)
		f.crash(ctx, place{point: point, late: point == "stop/sealed"}, f.only(leader), func(context.Context) { _ = leader.child.Process.Signal(syscall.SIGTERM) })
	}
	f.verdict(ctx, 10)
	f.meets("handover/", "leader/", "allocator/", "janitor/", "stop/")
}

// rows are the points with the duties that each is tried with, some with servers that come
// back late; or, where all are asked for, with all, and both ways.
func (f *failing) rows(of map[string][]string, all ...string) (out []place) {
	for point, duties := range of {
		if everyFailpoint() {
			duties = all
		}
		for _, duty := range duties {
			out = append(out, place{point: point, subject: duty})
			if everyFailpoint() {
				out = append(out, place{point: point, subject: duty, late: true})
			}
		}
	}
	slices.SortFunc(out, func(a, b place) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	if !everyFailpoint() {
		for i := range out {
			out[i].late = i%2 == 0
		}
	}
	return out
}

func (f *failing) only(p *process) []*process { return []*process{p} }

// moves asks for a duty to be moved, which may not come to an end.
func (f *failing) moves(ctx context.Context, duty string, turn int) func(context.Context) {
	from := f.settled(ctx, duty)
	to := f.next(from, turn)
	return func(ctx context.Context) {
		_, _ = candorv1.NewTenureServiceClient(f.conns[from]).TransferTenure(ctx, &candorv1.TransferTenureRequest{Duty: duty, Server: to.name})
	}
}

// crashAfterAKill kills the leader, which holds what is meant, and has those crash that
// would follow: one, or both.
func (f *failing) crashAfterAKill(ctx context.Context, x place) {
	f.t.Helper()
	leader := f.leader(ctx, f.k)
	for _, duty := range []string{tenure.DutyJanitor, tenure.DutyIDs, tenure.DutyTSO} {
		if f.settled(ctx, duty) != leader {
			f.move(ctx, duty, leader)
		}
	}
	rest := slices.DeleteFunc(slices.Clone(f.servers), func(p *process) bool { return p == leader })
	f.crash(ctx, x, rest, func(context.Context) { leader.kill() })
}

// takesMany takes more numbers than are reserved.
func (f *failing) takesMany(duty string) func(context.Context) {
	return func(ctx context.Context) {
		for ctx.Err() == nil {
			for _, p := range f.servers {
				_ = f.recorder.Ask(duty, f.holders[p], func() (uint64, uint64, uint64, error) {
					return takeSome(ctx, candorv1.NewAllocServiceClient(f.conns[p]), duty, takesHastily, 1<<18)
				})
			}
			passes(ctx, 50*time.Millisecond)
		}
	}
}

// cascades deletes an object that others belong to.
func (f *failing) cascades(name string) func(context.Context) {
	return func(ctx context.Context) {
		owner, err := f.k.Create(ctx, object(name))
		if err != nil {
			return
		}
		for i := range 3 {
			child := object(fmt.Sprintf("%s-%d", name, i))
			child.Metadata.Owners = []candor.OwnerReference{{Kind: candor.OwnerType(candor.APIVersion, "Namespace"), Name: name, UID: owner.Object.Metadata.UID}}
			_, _ = f.k.Create(ctx, child)
		}
		_, _ = f.k.Delete(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: name})
	}
}

// TestDutiesThatStandStillOrFail: a holder whose renewal hangs and that goes on to
// answer, one whose answers from the root are lost, and one whose duty panics until it is
// given up. Nobody dies, and another takes the duty where that is due.
func TestDutiesThatStandStillOrFail(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	f := failingCluster(ctx, t)
	for _, duty := range []string{tenure.DutyTSO, tenure.DutyIDs} {
		holder := f.settled(ctx, duty)
		began := time.Now()
		f.arm("tenure/renew["+duty+"]=pause:6s@1", holder)
		took := f.first(ctx, duty, f.holders[holder], began)
		f.said(ctx, holder, "failpoint tenure/renew["+duty+"]: pause")
		f.said(ctx, holder, "tenure."+duty+": tenure ended")
		f.arm("", holder)
		f.t.Logf("%s: another answered %s after renewals hung", duty, took.Round(time.Millisecond))
		f.recovers(ctx)
	}
	for _, duty := range []string{tenure.DutyIDs, tenure.DutyTSO} {
		from := f.settled(ctx, duty)
		to := f.next(from, 0)
		began := time.Now()
		// Of the first events of either, none is known to have been accepted.
		f.arm("tenure/answered["+duty+"]=error@1,tenure/answered["+duty+"]=error@2,tenure/answered["+duty+"]=error@3", from, to)
		f.moves(ctx, duty, 0)(ctx)
		f.first(ctx, duty, f.holders[from], began)
		f.said(ctx, from, "failpoint tenure/answered["+duty+"]: error")
		f.said(ctx, to, "failpoint tenure/answered["+duty+"]: error")
		f.arm("", from, to)
		f.recovers(ctx)
	}
	from := f.settled(ctx, tenure.DutyIDs)
	to := f.next(from, 0)
	to.panics = true
	f.arm("duty/run["+tenure.DutyIDs+"]=panic", to)
	began := time.Now()
	f.moves(ctx, tenure.DutyIDs, 0)(ctx)
	f.said(ctx, to, "duty given up")
	f.t.Logf("given up after %s, and another answered after %s", time.Since(began).Round(time.Millisecond), f.first(ctx, tenure.DutyIDs, f.holders[to], time.Now()).Round(time.Millisecond))
	f.arm("", to)
	if status, err := f.k.Tenures(ctx, client.OnEndpoint(to.api)); err != nil || !slices.ContainsFunc(status.Here, func(d client.DutyStatus) bool { return d.Duty == tenure.DutyIDs && d.GivenUp == 1 }) {
		t.Errorf("%s does not say that it gave the duty up: %+v, %v", to.name, status, err)
	}
	f.met["duty/run"], f.met["tenure/renew"], f.met["tenure/answered"] = true, true, true
	f.verdict(ctx, 3)
	f.meets("duty/", "tenure/")
}

// said waits until a process has said something.
func (f *failing) said(ctx context.Context, p *process, words string) {
	f.t.Helper()
	until(ctx, f.t, p.name+" to say "+words, func() bool { return strings.Contains(p.said(f.t), words) })
}
