package transitionmodel

import "github.com/candor-plane/candor/coordinator/topology"

// Tour are small bounds that together take transitions of every kind to every end that
// an operator, production's executor or the root may write, and members through every
// change.
func Tour() []Bounds {
	voters := []string{"a", "b", "c"}
	add := func(id string) Request {
		return Request{Change: topology.Change{Kind: topology.Add, Server: id, Address: "at-" + id}}
	}
	remove := func(id string) Request {
		return Request{Change: topology.Change{Kind: topology.Remove, Server: id}}
	}
	replace := func(id string) Request {
		return Request{Change: topology.Change{Kind: topology.Replace, Server: id, With: "d", Address: "at-d"}}
	}
	return []Bounds{
		{Voters: voters, Fail: []string{"c"}, Requests: []Request{remove("b")}, Eras: 1, InFlight: 1},
		{Voters: voters, Requests: []Request{replace("c"), {Cancels: 1}}, InFlight: 1},
		{Voters: voters, Requests: []Request{replace("a")}, InFlight: 1},
		{Voters: voters, Requests: []Request{add("d"), remove("d"), add("d")}, InFlight: 1},
		{Voters: voters, Requests: []Request{remove("a")}, Eras: 1, Elects: true, InFlight: 1},
		{Voters: voters[:1], Requests: []Request{add("d"), add("e")}, Supersedes: true, InFlight: 1},
	}
}
