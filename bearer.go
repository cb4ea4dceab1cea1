package candor

import (
	"crypto/sha256"
	"strings"
)

const bearerPrefix = "candor_"

// Bearer is a token as its bearer has it: candor_ACCESSOR_SECRET.
type Bearer struct{ Accessor, Secret string }

// String is the token itself; keep it out of logs.
func (b Bearer) String() string { return bearerPrefix + b.Accessor + "_" + b.Secret }

// Hash is what the cluster knows of the secret. A secret has 128 bits at least, so
// that none is found from its hash.
func (b Bearer) Hash() [32]byte { return sha256.Sum256([]byte(b.Secret)) }

// MinSecretBytes is the length of the shortest secret.
const MinSecretBytes = 22

// ParseBearer reads a token. The error is UNAUTHENTICATED and does not hold it.
func ParseBearer(text string) (Bearer, error) {
	rest, ok := strings.CutPrefix(text, bearerPrefix)
	accessor, secret, both := strings.Cut(rest, "_")
	if !ok || !both || accessor == "" || len(accessor) > 63 || len(secret) < MinSecretBytes || len(secret) > 256 {
		return Bearer{}, Errorf(ReasonUnauthenticated, "the token is none: want candor_ACCESSOR_SECRET")
	}
	return Bearer{Accessor: accessor, Secret: secret}, nil
}
