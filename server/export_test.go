package server

import "github.com/candor-plane/candor/server/diag"

// Collect is what the debug listener asks a server for.
func Collect(s *Server, emit func(diag.Metric)) { (&probe{s}).Collect(emit) }
