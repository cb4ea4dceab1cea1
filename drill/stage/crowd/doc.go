// Package crowd is clients that do not behave: connections that say nothing, watches that
// nobody reads, requests that are none.
//
// It guarantees that what it begins ends with Ending, or with the crowd's context, and is
// waited for. It needs no more of a cluster than a way to each server, so that stages of
// processes and of virtual time have the same crowds.
package crowd
