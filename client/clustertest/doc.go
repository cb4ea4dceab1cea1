// Package clustertest sees that the client keeps its promises over whole clusters, with all
// of their servers, in virtual time. It has tests alone, apart from those of package
// client: together with tests from its inside, all that a server is made of would be
// compiled once more for them.
package clustertest
