// Package jsonpath evaluates the templates of `-o jsonpath=…`, of printer
// columns and of `wait --for=jsonpath=…` over decoded JSON.
//
// It guarantees that a path which leads nowhere yields nothing, never a zero
// that looks like a value, and that numbers come out as they were written. It
// takes the common part of kubectl's form: fields, escaped and quoted names,
// indexes from either end, wildcards, the filter [?(@.name=="text")], text, and
// {range}…{end}: every path that a kind's printer column may have, and more. It
// refuses other filters, slices, unions and recursive descent with an Error of
// reason USAGE that says so. The command line calls it; nothing in it does I/O.
package jsonpath
