// Package contextfile keeps the file that says which cluster a command talks
// to: named contexts, each with API addresses and a namespace, and which one
// is current.
//
// It guarantees that a file is replaced whole or not at all, and refuses one
// with an unknown field, a context without a name or a server, a name given
// twice, or a current context that is not there. The command line and
// `candor dev` call it.
package contextfile
