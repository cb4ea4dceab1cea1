package main

import (
	"fmt"
	"os"

	"github.com/candor-plane/candor/bench/candor"
	"github.com/candor-plane/candor/bench/etcd"
	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/report"
	"github.com/candor-plane/candor/bench/round"
	"github.com/candor-plane/candor/bench/system"
)

// quiet is what keeps servers from having anything proven that no read asks for,
// and from calling that a fault.
var quiet = []string{"--beacon", "1h", "--fresh-age", "2h", "--fresh-window", "3h"}

// rivals are who else Candor is measured beside.
func rivals(binary, witnessless string) (map[experiment.Rival]system.System, error) {
	version, err := candor.Version(binary)
	if err != nil {
		return nil, err
	}
	all := map[experiment.Rival]system.System{experiment.WithoutBeacon: candor.New(binary, version, quiet...)}
	if witnessless == "" {
		return all, nil
	}
	if version, err = candor.Version(witnessless); err != nil {
		return nil, err
	}
	all[experiment.WithoutWitness] = candor.New(witnessless, version)
	return all, nil
}

// sides are the systems to measure, in the order of the first round.
func sides(only, binary, peer string) ([]round.Side, error) {
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
	if peer != "" {
		if version, err = candor.Version(peer); err != nil {
			return nil, err
		}
		built[1].System = candor.New(peer, version)
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
