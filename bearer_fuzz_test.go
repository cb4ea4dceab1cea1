package candor_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
)

// FuzzParseBearer: what is taken is written back the same and has a secret that is
// long enough; what is not is UNAUTHENTICATED, and nothing of it is told.
func FuzzParseBearer(f *testing.F) {
	secret := strings.Repeat("s", candor.MinSecretBytes)
	for _, text := range []string{
		"", "candor_", "candor__" + secret, "candor_a_" + secret, "candor_a_" + secret[1:], "candor_a_b_" + secret, "Candor_a_" + secret,
		"Bearer candor_a_" + secret, "candor_" + strings.Repeat("a", 63) + "_" + secret, "candor_" + strings.Repeat("a", 64) + "_" + secret,
		"candor_a_" + strings.Repeat("s", 256), "candor_a_" + strings.Repeat("s", 257), "candor_a_" + secret + "\n", "candor_\x00_" + secret,
	} {
		f.Add(text)
	}
	_, nothing := candor.ParseBearer("")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := candor.ParseBearer(text)
		if err != nil {
			if candor.ReasonOf(err) != candor.ReasonUnauthenticated || b != (candor.Bearer{}) || err.Error() != nothing.Error() {
				t.Fatalf("refused with %+v, %v", b, err)
			}
			return
		}
		if b.String() != text {
			t.Fatalf("read %q, writes %q", text, b.String())
		}
		if b.Accessor == "" || len(b.Secret) < candor.MinSecretBytes || b.Hash() != sha256.Sum256([]byte(b.Secret)) {
			t.Fatalf("%q is %+v", text, b)
		}
	})
}
