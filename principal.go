package candor

// Proof is how somebody's name was authenticated.
type Proof string

// The proofs. A name without proof is the caller's own word.
const (
	ProofNone        Proof = "none"
	ProofCertificate Proof = "certificate"
	ProofToken       Proof = "token"
)

// Principal is who makes a request.
type Principal struct {
	// Actor is under which name; "anonymous" for none.
	Actor string
	Proof Proof
	// Accessor names the token of ProofToken.
	Accessor string
}

// Verified says that the name is more than the caller's word.
func (p Principal) Verified() bool { return p.Proof == ProofToken || p.Proof == ProofCertificate }
