package candor

import (
	"net/url"
	"strings"
)

// Party is what kind of party an identity is of.
type Party string

// The parties.
const (
	PartyServer Party = "server"
	PartyWorker Party = "worker"
	PartyClient Party = "client"
)

// Identity is who a party is, as its certificate says: a SPIFFE ID whose trust
// domain is the cluster's ID.
type Identity struct {
	Cluster string
	Party   Party
	// Name is a server's ID, or what a worker or client is called.
	Name string
}

// Names that no identity has: of what the cluster does by itself, and of whoever
// did not say who it is.
const (
	ActorSystem    = "system"
	ActorAnonymous = "anonymous"
)

// URI is the form in certificates: spiffe://CLUSTER/PARTY/NAME.
func (i Identity) URI() string {
	return "spiffe://" + i.Cluster + "/" + string(i.Party) + "/" + i.Name
}

// Actor is the name under which the party acts: a client's bare name, and of the
// others PARTY/NAME. No two identities of a cluster have the same one.
func (i Identity) Actor() string {
	if i.Party == PartyClient {
		return i.Name
	}
	return string(i.Party) + "/" + i.Name
}

// ParseIdentity reads the form in certificates, and that alone: whatever it
// accepts, URI writes the same. The error has reason INVALID, and the identity is
// zero with it.
func ParseIdentity(uri string) (Identity, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return Identity{}, Errorf(ReasonInvalid, "identity %q is no URI: want spiffe://CLUSTER/server|worker|client/NAME", clip(uri))
	}
	party, name, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	i := Identity{Cluster: u.Host, Party: Party(party), Name: name}
	// Whatever is not written as we would write it is not ours.
	if i.URI() != uri {
		return Identity{}, Errorf(ReasonInvalid, "identity %q: want spiffe://CLUSTER/server|worker|client/NAME and nothing else", clip(uri))
	}
	if err := i.Check(); err != nil {
		return Identity{}, err
	}
	return i, nil
}

// Check returns an Error of reason INVALID unless the identity can be written
// into a certificate and its actor be told from every other.
func (i Identity) Check() error {
	switch i.Party {
	case PartyServer, PartyWorker, PartyClient:
	default:
		return Errorf(ReasonInvalid, "identity: party %q: want server, worker or client", clip(string(i.Party)))
	}
	if err := CheckTrustDomain(i.Cluster); err != nil {
		return err
	}
	return CheckPartyName(i.Name)
}

// MaxPartyNameBytes bounds the name of a party.
const MaxPartyNameBytes = 96

// CheckPartyName returns an Error of reason INVALID unless name can be a party's:
// letters, digits and . _ @ - with a letter or digit at both ends, and none of the
// reserved names in whatever case. (SPIFFE's own names have no @; here people are
// called by their mail addresses too.)
func CheckPartyName(name string) error {
	if strings.EqualFold(name, ActorSystem) || strings.EqualFold(name, ActorAnonymous) {
		return Errorf(ReasonInvalid, "the name %q is reserved", name)
	}
	if name == "" || len(name) > MaxPartyNameBytes {
		return Errorf(ReasonInvalid, "name %q has %d bytes; want 1 to %d", clip(name), len(name), MaxPartyNameBytes)
	}
	for at := range len(name) {
		c := name[at]
		inner := at > 0 && at < len(name)-1
		if !alphanumeric(c) && (!inner || !strings.ContainsRune("._@-", rune(c))) {
			return Errorf(ReasonInvalid, "name %q: want letters, digits and . _ @ - with a letter or digit at both ends", name)
		}
	}
	return nil
}

// CheckActor returns an Error of reason INVALID unless some identity may act
// under that name: NAME, worker/NAME or server/ID.
func CheckActor(actor string) error {
	party, name, ok := strings.Cut(actor, "/")
	if !ok {
		return CheckPartyName(actor)
	}
	if party != string(PartyWorker) && party != string(PartyServer) {
		return Errorf(ReasonInvalid, "actor %q: want NAME, worker/NAME or server/ID", clip(actor))
	}
	return CheckPartyName(name)
}

// maxTrustDomain bounds a cluster ID in certificates.
const maxTrustDomain = 64

// CheckTrustDomain returns an Error of reason INVALID unless a cluster of that ID
// can have certificates: what the host of a URI may be, in lower case.
func CheckTrustDomain(cluster string) error {
	if cluster == "" || len(cluster) > maxTrustDomain {
		return Errorf(ReasonInvalid, "identity: cluster ID %q has %d bytes; want 1 to %d", clip(cluster), len(cluster), maxTrustDomain)
	}
	for label := range strings.SplitSeq(cluster, ".") {
		// X.509 libraries refuse a host with labels that DNS could not hold.
		if !labelText(label) || strings.ToLower(label) != label {
			return Errorf(ReasonInvalid, "identity: cluster ID %q: want parts joined by dots, each of 1 to %d lower-case letters, digits, '-' and '_', with a letter or digit at both ends", cluster, maxLabelPart)
		}
	}
	return nil
}
