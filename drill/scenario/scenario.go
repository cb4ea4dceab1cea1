package scenario

import "github.com/candor-plane/candor"

// Scenario is one drill.
type Scenario struct {
	// Name is DNS-1123; that of a library file is the file's.
	Name string `json:"name"`
	// Summary says in a sentence what is done and what must hold.
	Summary string  `json:"summary"`
	Cluster Cluster `json:"cluster,omitzero"`
	Load    Load    `json:"load"`
	Faults  []Fault `json:"faults,omitempty"`
	Expect  Expect  `json:"expect,omitzero"`
}

// Cluster is what the drill runs on.
type Cluster struct {
	// Servers are named n1, n2, and so on; 3 when 0.
	Servers int `json:"servers,omitempty"`
	// Nodes are simulated worker nodes, for placements.
	Nodes int `json:"nodes,omitempty"`
	// Workers are real ones, named w1, w2, and so on, which run the drill's own instances:
	// as many as Residents says.
	Workers int `json:"workers,omitempty"`
	// Policy is what the simulated nodes are under, or what the workers run, and what the
	// drill holds them against; without one nodes are given up sooner than by default.
	Policy *candor.FailurePolicySpec `json:"policy,omitempty"`
	// Flags are given to every server, by name without dashes.
	Flags map[string]string `json:"flags,omitempty"`
	// Previous begins with servers of the previous release's binary, which the fault
	// UPGRADE replaces by this one.
	Previous bool `json:"previous,omitempty"`
}

// Load is the traffic: all of it is recorded.
type Load struct {
	// For is how long it lasts; before the first fault all must have been well once,
	// and after the last the cluster gets this much again to become well.
	For Duration `json:"for"`
	// Workloads by name (package workload): registers, lists, transactions, watchers,
	// readers, numbers, holders, placements; each with its defaults where it is empty.
	Workloads []Workload `json:"workloads"`
}

// Workload is one kind of traffic.
type Workload struct {
	Name string `json:"name"`
	// Clients that run at once; 0 for the workload's default.
	Clients int `json:"clients,omitempty"`
	// Pause of a client between two operations; 0 for the workload's default.
	Pause Duration `json:"pause,omitempty"`
	// Keys that it touches; 0 for the workload's default.
	Keys int `json:"keys,omitempty"`
}

// Expect is what must hold beside all promises that the traffic tests.
type Expect struct {
	// Gap bounds how long operations of a class may go unanswered in a row while a
	// majority can reach itself: "write", "strong", "bounded" (where the bound can be
	// kept), "best-effort".
	Gap map[string]Duration `json:"gap,omitempty"`
	// Leader is LeaderChanges or LeaderStays; empty for either.
	Leader string `json:"leader,omitempty"`
	// Ends are servers' own ends that belong to the drill, by the reason that they
	// tell, such as DISK_FAILED.
	Ends []string `json:"ends,omitempty"`
	// Acknowledged is how many writes must have been, else the drill is inconclusive; 100
	// when 0.
	Acknowledged int `json:"acknowledged,omitempty"`
	// Unchecked are checks that this drill is no test of, by name, and why: what they
	// say is in the report and no part of the verdict.
	Unchecked map[string]string `json:"unchecked,omitempty"`
}

// What is expected of who leads.
const (
	LeaderChanges = "changes"
	LeaderStays   = "stays"
)
