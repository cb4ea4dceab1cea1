// Package wire is the byte form of the vocabulary: the protobuf wire format,
// written and read by hand for the few messages of the hot path, with fields
// in ascending order, map keys sorted and defaults left out, so that equal
// values have equal bytes on every build.
//
// The stored form of an object is the encoding of candor.v1.Object, which lets
// servers answer with stored bytes; a test in rpc/convert holds the two
// together. The package refuses damaged input with an Error of reason
// DATA_CORRUPT and never panics on it. fsm, rpc and server call it.
package wire
