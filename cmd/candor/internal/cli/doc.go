// Package cli is the command line: one file a command, named for its noun and
// verb.
//
// It guarantees that results go to stdout and everything else to stderr; that
// the exit code follows from the reason of the error, by the one table of the
// root package; that a flag which a command cannot honour is refused, never
// ignored; and that a refusal says what was asked, what was found and what to
// try. Package main calls Main. Every NewCmd function takes the Factory, which
// holds what a command needs of the world, and a function to run in place of
// the command's own, for tests; nil runs the command.
package cli
