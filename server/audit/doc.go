// Package audit is the audit log of one node: who asked for what, how it was
// known who that was, what became of it and why, one JSON object a line.
//
// It guarantees that a request which is to be recorded has room for its record
// before it acts (Reserve), that nobody ever waits once it has acted
// (Ticket.Commit), that a line holds exactly one record whatever its strings
// contain, and that what is missing is said: records that the disk refused, a
// line that a crash tore, handshakes left out by the rate bound, lines that a
// slow reader of Tail did not get.
//
// It refuses to be a proof: whoever may write the files may change them, a line
// is not durable before the next fsync, and one node's log tells of that node's
// requests alone. It also refuses, if Options.Required says so, to let anything
// be done that it could not write down.
//
// Package server calls it: the interceptors of gRPC reserve and commit, the
// listeners report handshakes, metrics read Stats, and AccessService.TailAudit
// tails. DESIGN.md documents the records and what was measured.
package audit
