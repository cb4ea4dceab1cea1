// Package output is how results, footers and refusals look: tables, JSON,
// YAML, names, templates, colours.
//
// It guarantees that what is printed was told by the cluster: a footer says
// only what the witness proves, and what is not proven is left out or called
// unproven; a cell without a value is "-", never a zero; text from objects
// cannot move the cursor or colour the terminal. Results are for stdout,
// footers and refusals for stderr. The command line calls it; nothing in it
// talks to a server or ends the process.
package output
