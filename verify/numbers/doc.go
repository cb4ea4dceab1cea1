// Package numbers checks what allocators handed out against what they promise: no
// number twice, none of a sealed era beyond what its seal says, and timestamps that
// grow in real time, over every answer of every server.
//
// A Recorder notes the answers of one process, with an order that is the order of
// that process: an answer that was there before a question was asked is before it.
// What was taken and never answered is nobody's, and is not looked for. Tests of
// clusters call it.
package numbers
