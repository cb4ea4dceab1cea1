package server

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPlaintextStaysOnLoopbackUnlessToldOtherwise(t *testing.T) {
	for _, address := range []string{"0.0.0.0:7101", "192.0.2.1:7101", ":7101", "example.org:1"} {
		c := Config{Name: "n1", API: address, Bootstrap: true}
		if err := c.check(); candor.ReasonOf(err) != candor.ReasonUsage {
			t.Errorf("%s: %v, want a refusal", address, err)
		}
		c.Insecure = true
		if err := c.check(); err != nil {
			t.Errorf("%s with Insecure: %v", address, err)
		}
	}
	for _, address := range []string{"127.0.0.1:7101", "[::1]:7101", "localhost:7101"} {
		c := Config{Name: "n1", API: address, Bootstrap: true}
		if err := c.check(); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestOneWayToBegin(t *testing.T) {
	c := Config{Name: "n1", Bootstrap: true, Join: []string{"127.0.0.1:1"}}
	if err := c.check(); candor.ReasonOf(err) != candor.ReasonUsage {
		t.Errorf("two ways: %v", err)
	}
	if a, b := clusterIDOf([]InitialMember{{Name: "a"}, {Name: "b"}}, "t"), clusterIDOf([]InitialMember{{Name: "b"}, {Name: "a"}}, "t"); a != b {
		t.Error("the order of the list changes the cluster ID")
	}
	if a, b := clusterIDOf([]InitialMember{{Name: "a"}}, "t"), clusterIDOf([]InitialMember{{Name: "a"}}, "u"); a == b {
		t.Error("the token does not change the cluster ID")
	}
}
