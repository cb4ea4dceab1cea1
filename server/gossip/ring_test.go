package gossip

import (
	"bytes"
	"strings"
	"testing"
	"time"

	candor "github.com/candor-plane/candor"
)

func sampleRing(t testing.TB) (r ring, content []byte) {
	t.Helper()
	r = ring{}.with(NewKey(), time.Unix(1_700_000_000, 0)).with(NewKey(), time.Unix(1_700_000_100, 0))
	r = r.using(r.held[1].key.Fingerprint())
	content, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	return r, content
}

func sameRing(a, b ring) bool {
	if a.primary != b.primary || len(a.held) != len(b.held) {
		return false
	}
	for i := range a.held {
		if !a.held[i].key.Equal(b.held[i].key) || !a.held[i].addedAt.Equal(b.held[i].addedAt) {
			return false
		}
	}
	return true
}

func TestARingReadsAsItWasWritten(t *testing.T) {
	want, content := sampleRing(t)
	got, err := parseRing(content)
	if err != nil || !sameRing(got, want) {
		t.Errorf("read %v, %v", got, err)
	}
}

func TestADamagedRingIsRefusedWithoutShowingIt(t *testing.T) {
	r, content := sampleRing(t)
	text := string(content)
	first, second := r.held[0].key.Reveal(), r.held[1].key.Reveal()
	flipped := []byte(first)
	flipped[5] ^= 'A' ^ 'B'
	if flipped[5] < 'A' || flipped[5] > 'z' {
		flipped[5] = 'Q'
	}
	for name, damaged := range map[string]string{
		"empty":                        "",
		"zeroes":                       strings.Repeat("\x00", len(text)),
		"something after it":           text + "{}",
		"another format":               strings.Replace(text, ringFormat, "candor-gossip-keyring/2", 1),
		"a key with a flipped bit":     strings.Replace(text, first, string(flipped), 1),
		"two keys exchanged":           strings.NewReplacer(first, second, second, first).Replace(text),
		"a key twice":                  strings.NewReplacer(first, second, r.held[0].key.Fingerprint(), r.held[1].key.Fingerprint()).Replace(text),
		"a primary that is not there":  strings.Replace(text, `"primary": "`+r.primary, `"primary": "0000000000000000`, 1),
		"no keys":                      `{"format":"` + ringFormat + `","primary":"","keys":[]}`,
		"a field that nobody knows":    strings.Replace(text, `"primary"`, `"`+first+`":1,"primary"`, 1),
		"a key where a time should be": strings.Replace(text, `"2023-11-14T22:13:20Z"`, `"`+first+`"`, 1),
	} {
		_, err := parseRing([]byte(damaged))
		if candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkNoEcho(t, err, first)
		checkNoEcho(t, err, second)
	}
	for cut := range len(content) - 2 {
		if _, err := parseRing(content[:cut]); err == nil {
			t.Fatalf("accepted with %d of %d bytes", cut, len(content))
		}
	}
}

func FuzzParseRing(f *testing.F) {
	_, content := sampleRing(f)
	f.Add(content)
	f.Add([]byte{})
	f.Add([]byte(`{"format":"candor-gossip-keyring/1","primary":"x","keys":[{"key":"AAAAAAAAAAAAAAAAAAAAAA=="}]}`))
	f.Add(bytes.Replace(content, []byte("Z"), []byte("+14:00"), 1))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := parseRing(content)
		if err != nil {
			if candor.ReasonOf(err) != candor.ReasonInvalid {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if _, ok := r.find(r.primary); !ok || len(r.held) > MaxKeys {
			t.Errorf("accepted a ring without its primary, or with %d keys", len(r.held))
		}
		again, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseRing(again)
		if err != nil || !sameRing(r, back) {
			t.Errorf("what was accepted does not come back: %v", err)
		}
	})
}
