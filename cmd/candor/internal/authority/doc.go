// Package authority keeps a cluster's certificate authority in a folder: the
// bundle that every party trusts (ca.crt), the key that issues (ca.key), and for
// each party a folder below it with the party's certificate, key and copy of the
// bundle.
//
// It guarantees that nothing is overwritten unasked, and no certificate by that of
// another party; that keys are their owner's alone; that each step of a rotation
// may be repeated, and completes what was interrupted; and that a step is refused
// while it would have parties refuse one another, as far as the folder shows it.
//
// Commands `candor tls` and `candor dev` call it. It does not reach other machines:
// who copies the folders of parties there is told what to copy.
package authority
