package integration

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// TestCrashesInTheMiddleOfAChangeOfMembers: of the leader, at each step of a server that
// joins, has its vote, comes for another, goes, and is handed leadership. What was asked
// for comes about, by whoever leads next where the root knows of it, and else when it is
// asked for again; and every transition ends.
func TestCrashesInTheMiddleOfAChangeOfMembers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	f := failingCluster(ctx, t)
	for i, one := range memberCrashes() {
		for kind, x := range one {
			x.late = i%2 == 0
			one[kind] = x
		}
		p := f.joins(ctx, one["member-add"])
		f.promotes(ctx, one["member-promote"], p)
		if x, ok := one["member-replace"]; ok {
			q := f.joins(ctx, place{})
			f.replacesOne(ctx, x, p, q)
			p = q
		}
		f.hands(ctx, one["leader-transfer"])
		f.removes(ctx, one["member-remove"], p)
	}
	f.verdict(ctx, 5)
	f.meets("membership/")
}

// memberCrashes are where the leader crashes while one server comes and goes, by the kind of
// what is asked for.
func memberCrashes() (out []map[string]place) {
	if !everyFailpoint() {
		return []map[string]place{
			{
				"member-add": {point: "membership/step", subject: "member-add"}, "member-promote": {point: "membership/taken", subject: "member-promote"},
				"leader-transfer": {point: "membership/request", subject: "leader-transfer"}, "member-remove": {point: "membership/removed", subject: "member-remove"},
				"member-replace": {point: "membership/plan", subject: "member-promote"},
			},
			{
				"member-add": {point: "membership/requested", subject: "member-add"}, "member-promote": {point: "membership/ended", subject: "member-promote"},
				"member-replace": {point: "membership/planned", subject: "member-remove"},
			},
		}
	}
	for _, point := range []string{"membership/request", "membership/requested", "membership/step", "membership/taken", "membership/ended"} {
		one := map[string]place{}
		for _, kind := range []string{"member-add", "member-promote", "member-remove", "leader-transfer"} {
			one[kind] = place{point: point, subject: kind}
		}
		if point == "membership/ended" {
			// The root ends it by itself, with the next leader, and so it does a
			// replacement, with the configuration.
			delete(one, "leader-transfer")
		}
		out = append(out, one)
	}
	for _, x := range []place{
		{point: "membership/plan", subject: "member-promote"}, {point: "membership/planned", subject: "member-promote"},
		{point: "membership/plan", subject: "member-remove"}, {point: "membership/planned", subject: "member-remove"},
		{point: "membership/request", subject: "member-replace"}, {point: "membership/requested", subject: "member-replace"},
		{point: "membership/step", subject: "member-promote"}, {point: "membership/taken", subject: "member-remove"},
	} {
		out = append(out, map[string]place{"member-replace": x})
	}
	return append(out, map[string]place{"member-remove": {point: "membership/removed", subject: "member-remove"}})
}

// during has the leader crash at a place while something is asked for, and then asks
// until it is so.
func (f *failing) during(ctx context.Context, x place, what string, ask func(context.Context) error, already ...candor.Reason) {
	f.t.Helper()
	if x.point != "" {
		f.crash(ctx, x, f.only(f.leader(ctx, f.k)), func(ctx context.Context) { _ = ask(ctx) })
	}
	until(ctx, f.t, what, func() bool {
		err := ask(ctx)
		return err == nil || slices.Contains(already, candor.ReasonOf(err))
	})
	f.recovers(ctx)
}

// joins brings a server in, with failpoints, as one that may hold duties.
func (f *failing) joins(ctx context.Context, x place) *process {
	f.t.Helper()
	p := f.server(append([]string{"--join", f.servers[0].api + "," + f.servers[1].api + "," + f.servers[2].api}, briefly...)...)
	withFailpoints(f.t, p)
	f.gone[p] = true // it begins below, and not with those that crashed
	began := func(context.Context) { p.begin(f.t) }
	if x.point != "" {
		f.crash(ctx, x, f.only(f.leader(ctx, f.k)), began)
	} else {
		began(ctx)
	}
	delete(f.gone, p)
	until(ctx, f.t, p.name+" to be a member", func() bool {
		status, err := f.k.Cluster().Status(ctx, client.OnEndpoint(p.api))
		if err != nil || status.Leader == nil || status.Applied.Index == 0 {
			return false
		}
		f.holders[p] = "server/" + status.Witness.NodeID
		return true
	})
	f.conns[p] = f.linked(p)
	f.recovers(ctx)
	return p
}

func (f *failing) promotes(ctx context.Context, x place, p *process) {
	f.t.Helper()
	f.during(ctx, x, p.name+" to vote", func(ctx context.Context) error {
		_, err := f.k.Cluster().Promote(ctx, p.name, 0)
		return err
	})
}

func (f *failing) removes(ctx context.Context, x place, p *process) {
	f.t.Helper()
	if f.leader(ctx, f.k) == p {
		f.lead(ctx, f.k, f.servers[0])
	}
	f.gone[p] = true
	f.during(ctx, x, p.name+" to be gone", func(ctx context.Context) error {
		_, err := f.k.Cluster().Remove(ctx, p.name, client.RemoveOptions{})
		return err
	}, candor.ReasonNotAMember)
	p.kill()
}

func (f *failing) replacesOne(ctx context.Context, x place, old, newcomer *process) {
	f.t.Helper()
	if f.leader(ctx, f.k) == old {
		f.lead(ctx, f.k, f.servers[0])
	}
	f.gone[old] = true
	f.during(ctx, x, newcomer.name+" in the place of "+old.name, func(ctx context.Context) error {
		_, err := f.k.Cluster().Replace(ctx, old.name, newcomer.name, client.ReplaceOptions{})
		return err
	}, candor.ReasonNotAMember)
	old.kill()
	f.wantMembers(ctx, f.k, 4, 4)
}

// hands has leadership handed to another of the first three.
func (f *failing) hands(ctx context.Context, x place) {
	f.t.Helper()
	if x.point == "" {
		return
	}
	leader := f.leader(ctx, f.k)
	to := f.servers[0]
	if to == leader {
		to = f.servers[1]
	}
	f.crash(ctx, x, f.only(leader), func(ctx context.Context) { _, _ = f.k.Cluster().TransferLeader(ctx, to.name) })
	f.lead(ctx, f.k, to)
	f.recovers(ctx)
}
