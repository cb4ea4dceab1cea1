// Package integration tests real servers in processes of their own, over
// loopback, with their data on disk. It has no code of the product's.
package integration
