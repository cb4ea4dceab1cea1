package grpcapi

import (
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// TestAMethodIsMeantByItsLastPart: no two share it, so that whoever reads the
// audit log need not write the whole name.
func TestAMethodIsMeantByItsLastPart(t *testing.T) {
	for full := range methods {
		for _, short := range []string{full[strings.LastIndexByte(full, '/')+1:], strings.TrimPrefix(full, "/candor.v1."), full[1:], full} {
			if got, err := methodMeant(short); got != full || err != nil {
				t.Errorf("%s means %s, %v; want %s", short, got, err, full)
			}
		}
	}
	for _, asItIs := range []string{"", "tls-handshake", "raft-handshake", "/candor.v0.Gone/Create"} {
		if got, err := methodMeant(asItIs); got != asItIs || err != nil {
			t.Errorf("%q means %q, %v", asItIs, got, err)
		}
	}
	if _, err := methodMeant("Steal"); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("a method that there is not: %v", err)
	}
}

// TestAKeyInTheWrongPlaceIsNotOnRecord: whoever gives the key where its
// fingerprint is asked for is refused, and the account of it tells no secret.
func TestAKeyInTheWrongPlaceIsNotOnRecord(t *testing.T) {
	const key, fingerprint = "QUFBQUFBQUFBQUFBQUFBQQ==", "0123456789abcdef"
	for given, want := range map[string]string{key: "", fingerprint: fingerprint} {
		var n Note
		describe(&n, &candorv1.UseGossipKeyRequest{Fingerprint: given})
		if n.Ask.Name != want {
			t.Errorf("%s is recorded as %q", given, n.Ask.Name)
		}
	}
}
