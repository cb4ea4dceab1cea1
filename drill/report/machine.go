package report

// Machine is where the drill ran and what it was able to do there.
type Machine struct {
	OS string `json:"os,omitempty"`
	// Kernel is its release.
	Kernel string `json:"kernel,omitempty"`
	Arch   string `json:"arch,omitempty"`
	CPUs   int    `json:"cpus,omitempty"`
	// Root says whether the drill ran with every privilege.
	Root   bool    `json:"root"`
	Probes []Probe `json:"probes,omitempty"`
}

// Probe is a means of harm that was looked for.
type Probe struct {
	// Name of the means: "network namespaces", "FUSE".
	Name string `json:"name"`
	Able bool   `json:"able"`
	// Why it is not there, or what was found.
	Why string `json:"why,omitempty"`
	// Used says whether this drill used it, and Instead what stood in for it.
	Used    bool   `json:"used,omitempty"`
	Instead string `json:"instead,omitempty"`
}
