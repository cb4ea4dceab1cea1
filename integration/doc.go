// Package integration tests real servers in processes of their own, with their
// data on disk, over loopback or over networks that lose messages. It has no code
// of the product's.
//
// Where this process may make network namespaces, each server of a scenario with
// network faults has its own; otherwise its connections go by way of proxies. A
// fault is tried when it begins, in its middle and when it ends: one that did not
// bite fails the test as INCONCLUSIVE. Nothing stays behind, however a test ends.
package integration
