package network

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

// Direction is one direction of one pair of servers.
type Direction struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// String is "a>b".
func (d Direction) String() string { return d.From + ">" + d.To }

// Back is the other direction of the pair.
func (d Direction) Back() Direction { return Direction{From: d.To, To: d.From} }

// Between are both directions between every server of the one side and every
// server of the other.
func Between(side, other []string) []Direction {
	var out []Direction
	for _, a := range side {
		for _, b := range other {
			if a != b {
				out = append(out, Direction{a, b}, Direction{b, a})
			}
		}
	}
	return out
}

// Directions are those that a partition cuts: of the targets and all other
// servers, in the order of all. A bridge has one target and at least two others,
// of which the first half, rounded up, is cut from the second. A ring is of all
// servers, whatever the targets, and cuts nothing of three or fewer.
func Directions(shape scenario.Shape, targets, all []string) ([]Direction, error) {
	for _, name := range targets {
		if !slices.Contains(all, name) {
			return nil, candor.Errorf(candor.ReasonInvalid, "partition %s: %q is none of the servers %v", shape, name, all)
		}
	}
	others := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(targets, name) })
	if shape != scenario.Ring && (len(targets) == 0 || len(others) == 0) {
		return nil, candor.Errorf(candor.ReasonInvalid, "partition %s of %v: want some of the servers %v on each side", shape, targets, all)
	}
	switch shape {
	case scenario.Isolated:
		return Between(targets, others), nil
	case scenario.Deaf:
		return oneWay(others, targets), nil
	case scenario.Mute:
		return oneWay(targets, others), nil
	case scenario.Bridge:
		if len(targets) != 1 || len(others) < 2 {
			return nil, candor.Errorf(candor.ReasonInvalid, "partition %s of %v: want one target and at least two others of %v", shape, targets, all)
		}
		half := (len(others) + 1) / 2
		return Between(others[:half], others[half:]), nil
	case scenario.Ring:
		return acrossRing(all), nil
	}
	return nil, candor.Errorf(candor.ReasonInvalid, "partition %q: want %s, %s, %s, %s or %s", shape,
		scenario.Isolated, scenario.Deaf, scenario.Mute, scenario.Bridge, scenario.Ring)
}

func oneWay(from, to []string) []Direction {
	var out []Direction
	for _, a := range from {
		for _, b := range to {
			out = append(out, Direction{a, b})
		}
	}
	return out
}

// acrossRing are the directions between those that are no neighbours.
func acrossRing(all []string) []Direction {
	var out []Direction
	for i, a := range all {
		for j := i + 2; j < len(all); j++ {
			if i != 0 || j != len(all)-1 {
				out = append(out, Between([]string{a}, all[j:j+1])...)
			}
		}
	}
	return out
}
