// Package layering checks the shape of this repository: who may import whom,
// how long a file may be, what a package may be called, that every package says
// what it is, that every goroutine is watched for leaks, and that the
// deterministic core holds nothing whose outcome may differ between two nodes.
//
// Each promise is a [Rule]: a pure function from a parsed [Tree] to findings,
// and each finding names the file, what is wrong there and what to do. The
// package's own tests run every rule over the repository; testdata holds a
// transcript per rule that shows it fail. Nothing else calls it, and it refuses
// to guess: a file that does not parse or compile is an error, never a pass.
package layering
