package system

// Security is how the parties of a cluster prove who they are, and who then may
// do what.
type Security string

const (
	// Plain is TCP: everybody is believed and may do everything.
	Plain Security = ""
	// Secured is TLS 1.3 with certificates on both ends of every connection, those
	// between members included. Members know the load's client by its certificate
	// and judge each of its requests by a role, which allows what experiments do to
	// the measured objects and nothing else.
	Secured Security = "tls+auth"
)
