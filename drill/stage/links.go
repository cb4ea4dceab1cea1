package stage

import (
	"context"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/scenario"
)

// partition cuts the directions that the shape says. The cuts were seen to bite when it
// returns, by something that was sent each way; what servers lost is counted on top.
func (s *Stage) partition(ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	directions, err := network.Directions(f.Shape, names(targets), s.Servers())
	if err != nil {
		return nil, err
	}
	return s.cut(ctx, directions)
}

func (s *Stage) cut(ctx context.Context, directions []network.Direction) (drill.Injection, error) {
	if len(directions) == 0 {
		return over(0, "directions cut: so many servers have none of it"), nil
	}
	fault, err := s.links.Cut(ctx, directions...)
	if err != nil {
		return nil, err
	}
	return s.lasts(func() drill.Bite {
		return drill.Bite{Seen: int(fault.Bite().Lost), What: "messages lost"}
	}, fault.Heal), nil
}

// link shapes what goes to and from the targets, or with f.To from the targets to
// those.
func (s *Stage) link(ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	var directions []network.Direction
	from := names(targets)
	for _, other := range s.Servers() {
		for _, name := range from {
			if name == other {
				continue
			}
			d := network.Direction{From: name, To: other}
			switch {
			case f.To == "":
				directions = append(directions, d, d.Back())
			case contains(f.To, other):
				directions = append(directions, d)
			}
		}
	}
	if len(directions) == 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "there is no link from %v to %q", from, f.To)
	}
	fault, err := s.links.Shape(ctx, network.Shape{
		Delay: time.Duration(f.Delay), Jitter: time.Duration(f.Jitter), Loss: f.Loss, Reorder: f.Reorder, Duplicate: f.Duplicate,
	}, unique(directions)...)
	if err != nil {
		return nil, err
	}
	return s.lasts(func() drill.Bite {
		return drill.Bite{Seen: int(fault.Bite().Faults()), What: "messages lost, delayed, overtaken or doubled"}
	}, fault.Heal), nil
}

// starve cuts the targets off until the leader does not hold the entries any more that
// they miss. It writes nothing: the drill's traffic makes the log move on.
func (s *Stage) starve(ctx context.Context, _ *scenario.Fault, targets []*member) (drill.Injection, error) {
	directions, err := network.Directions(scenario.Isolated, names(targets), s.Servers())
	if err != nil {
		return nil, err
	}
	before := map[*member]uint64{}
	for _, m := range targets {
		report, err := s.own.Diagnostics(m.server.API).Node(ctx)
		if err != nil {
			return nil, err
		}
		before[m] = report.SnapshotIndex
	}
	fault, err := s.links.Cut(ctx, directions...)
	if err != nil {
		return nil, err
	}
	starved := newTally()
	look := func(ctx context.Context) {
		leader, err := s.leaderBut(ctx, targets)
		if err != nil {
			return
		}
		report, err := s.own.Diagnostics(leader.server.API).Node(ctx)
		if err != nil {
			return
		}
		for _, m := range targets {
			if mine, err := s.own.Diagnostics(m.server.API).Node(ctx); err == nil && report.FirstLogIndex > mine.LastLogIndex+1 {
				starved.add(m.name())
			}
		}
	}
	looking := s.repeatedly(5*step, look)
	return s.lasts(func() drill.Bite {
		return drill.Bite{Seen: starved.count(), What: "servers that miss entries which nobody holds any more"}
	}, func(ctx context.Context) error {
		looking()
		return fault.Heal(ctx)
	}), nil
}

// leaderBut is a leader that is none of these.
func (s *Stage) leaderBut(ctx context.Context, but []*member) (*member, error) {
	leader, err := s.leader(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range but {
		if m == leader {
			return nil, candor.Errorf(candor.ReasonUnavailable, "%s still leads", m.name())
		}
	}
	return leader, nil
}

func names(members []*member) []string {
	out := make([]string, 0, len(members))
	for _, m := range members {
		out = append(out, m.name())
	}
	return out
}

// contains says whether a list, separated by commas, has a name.
func contains(list, name string) bool {
	for each := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(each) == name {
			return true
		}
	}
	return false
}

func unique(directions []network.Direction) []network.Direction {
	seen := map[network.Direction]bool{}
	var out []network.Direction
	for _, d := range directions {
		if !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
	}
	return out
}
