// Package identity says who a party is, by certificates of the cluster's own
// authorities, and makes the TLS configurations in which parties prove it to one
// another. Servers, clients and the command line use it; it knows nothing of them.
//
// An identity is a certificate's one URI SAN, spiffe://CLUSTER/PARTY/NAME. Host
// names and addresses prove nothing here: a peer is who its certificate says, and
// the caller says whom it expects.
//
//	own, err := identity.Open(files, identity.Options{Logger: logger})
//	listener := tls.NewListener(inner, own.Server(identity.Serving{Demand: identity.CertificateRequired, Expect: identity.OneOf(candor.PartyServer)}))
//	conn := tls.Client(raw, own.Client(identity.Exactly(candor.PartyServer, serverID)))
//
// It guarantees TLS 1.3 on both sides and no resumed sessions; that every
// handshake is judged by the authorities that are in the files now, at the current
// time; that a change of the files is parsed whole and checked whole before it
// takes effect, and the last good state stays while it is bad; that no change of
// files turns a running process into another party; that a refusal of a
// certificate is a candor.Error of reason UNAUTHENTICATED which says what was
// wrong; and that what it issues never outlives the authority that issued it.
//
// It refuses bundles of several clusters, certificates with no or several URI
// SANs, certificates used for what they were not issued for, and to serve with
// anything but a server's.
//
// It does not end established connections when an authority goes: who owns them
// does, by their age. It has no revocation lists: certificates are short-lived or
// their authority is replaced.
package identity
