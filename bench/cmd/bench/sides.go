package main

import (
	"fmt"
	"os"

	"github.com/candor-plane/candor/bench/candor"
	"github.com/candor-plane/candor/bench/etcd"
	"github.com/candor-plane/candor/bench/report"
	"github.com/candor-plane/candor/bench/round"
)

// sides are the systems to measure, in the order of the first round.
func sides(only, binary string) ([]round.Side, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this binary, which the members run: %w", err)
	}
	version, err := candor.Version(binary)
	if err != nil && only != report.Peer {
		return nil, err
	}
	built := []round.Side{
		{Name: report.Candor, System: candor.New(binary, version)},
		{Name: report.Peer, System: etcd.New(self)},
	}
	wanted := []string{report.Candor, report.Peer}
	if only != "" {
		wanted = []string{only}
	}
	var chosen []round.Side
	for _, name := range wanted {
		side, ok := find(built, name)
		if !ok {
			return nil, fmt.Errorf("this binary was built without the %s side; measure the other one with --only", name)
		}
		chosen = append(chosen, side)
	}
	return chosen, nil
}

func find(built []round.Side, name string) (round.Side, bool) {
	for _, side := range built {
		if side.Name == name {
			return side, true
		}
	}
	return round.Side{}, false
}
