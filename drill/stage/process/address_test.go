package process

import (
	"net"
	"testing"
)

// TestNoAddressIsGivenTwice while it may not be listened on yet, nor one that somebody
// listens on.
func TestNoAddressIsGivenTwice(t *testing.T) {
	first, err := FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", first)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	given := map[string]bool{}
	for range 2 * blockSize {
		address, err := FreeAddress()
		if err != nil {
			t.Fatal(err)
		}
		if address == first {
			t.Errorf("%s is listened on", address)
		}
		if len(given) < blockSize/2 && given[address] {
			t.Errorf("%s was given before", address)
		}
		given[address] = true
	}
}

// TestABlockIsOfOneProcess: nobody else can take what says whose it is.
func TestABlockIsOfOneProcess(t *testing.T) {
	if _, err := FreeAddress(); err != nil {
		t.Fatal(err)
	}
	if l, err := net.Listen("tcp", local(addresses.block, 0)); err == nil {
		t.Errorf("another could take the block at %s", l.Addr())
		_ = l.Close()
	}
}
