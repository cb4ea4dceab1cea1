// Package report is the account of a drill: what was done to which cluster, what
// was seen of it on one axis of time, what every check said, and how to run it
// again.
//
// It guarantees that an account is whole and stands alone: report.html needs
// nothing from anywhere else and is read without JavaScript, on paper and without
// colours; report.json is the same account as data, and [Read] takes it back. What
// was left out of a picture is counted in it. Text from the cluster (names, errors,
// values) is shown and never interpreted, in HTML and on a terminal. The same
// Report gives the same bytes.
//
// It judges nothing: the verdict is its caller's. Package drill fills a Report and
// saves it; the command line prints it and draws it again. A Report belongs to one
// goroutine, and the package starts none.
package report
