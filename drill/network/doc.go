// Package network is the links between the servers of a drilled cluster, each
// direction of each pair by itself: it cuts them, delays, loses, reorders and
// doubles what they carry, counts what it did, and mends them.
//
// There are two layers. Over namespaces every server has a network namespace of
// its own and what befalls a direction befalls its packets. Over proxies, for a
// process without rights, the servers stay on loopback, connections between them
// are led through a proxy for each pair, and what befalls a direction befalls the
// streams as TCP would show it. Shape says what each fault is on each layer.
//
// It guarantees that a cut bites in exactly its direction, and is gone when Heal
// returns, by trying both; that nobody is told of a loss; that chance follows the
// seed; and that nothing of it outlives the process, however that ends. It refuses
// what a layer cannot make. Clients are no part of it: they reach every server.
//
// Package stage calls it, and tests with real servers do.
package network
