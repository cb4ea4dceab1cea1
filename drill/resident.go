package drill

// The drill's own workload, which a stage with workers makes and keeps at its scenario's
// Residents: faults befall its instances, and nobody else touches it.
const (
	ResidentsNamespace = "drill-residents"
	ResidentsName      = "steady"
)
