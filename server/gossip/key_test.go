package gossip

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	candor "github.com/candor-plane/candor"
)

func TestAKeyHasOneSpellingAndThreeSizes(t *testing.T) {
	for _, size := range []int{16, 24, 32} {
		text := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb, 0x01}, size/2))
		key, err := ParseKey(" " + text + "\r\n")
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if key.Reveal() != text {
			t.Errorf("%d bytes: revealed as another text", size)
		}
	}
	good := NewKey().Reveal()
	short := base64.StdEncoding.EncodeToString(make([]byte, 20))
	for name, text := range map[string]string{
		"empty": "", "no base64": "not a key!", "20 bytes": short, "no padding": strings.TrimRight(good, "="),
		"a break inside": good[:8] + "\n" + good[8:], "URL alphabet": strings.Repeat("-_", 16) + "AAAAAAAAAAA=",
		// The last character of 32 bytes carries four bits; others set say the same key.
		"loose last bits": strings.Repeat("A", 42) + "B=",
	} {
		_, err := ParseKey(text)
		if candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: %v, want %s", name, err, candor.ReasonInvalid)
		}
	}
}

func TestANewKeyHas32BytesAndIsNoOther(t *testing.T) {
	a, b := NewKey(), NewKey()
	if len(a.bytes()) != 32 || a.Equal(b) || a.Fingerprint() == b.Fingerprint() || len(a.Fingerprint()) != 16 {
		t.Errorf("two new keys: %s and %s", a, b)
	}
	if (Key{}).Fingerprint() != "" {
		t.Error("no key has a fingerprint")
	}
}

func TestAKeyFileNamesThePrimaryFirst(t *testing.T) {
	a, b := NewKey(), NewKey()
	keys, err := ParseKeys([]byte("# of the first day\n" + a.Reveal() + "\n\n  " + b.Reveal() + "  \r\n"))
	if err != nil || len(keys) != 2 || !keys[0].Equal(a) || !keys[1].Equal(b) {
		t.Errorf("read %v, %v", keys, err)
	}
	secret := strings.Repeat("Zm9v", 7)
	for name, content := range map[string]string{"no key": "# none\n", "a bad line": a.Reveal() + "\n" + secret + "\n"} {
		_, err := ParseKeys([]byte(content))
		if candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: %v, want %s", name, err, candor.ReasonInvalid)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error repeats the line", name)
		}
	}
	if _, err := ParseKeys(bytes.Repeat([]byte("#\n"), maxKeyFile)); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("a file without end: %v", err)
	}
}

func TestNothingThatPrintsAKeyOrARingShowsItsBytes(t *testing.T) {
	key := NewKey()
	ring := openKeyring(t, key)
	logger, lines := testLogger()
	inside := struct {
		k Key
		r *Keyring
		K Key
	}{key, ring, key}
	for _, v := range []any{key, &key, ring, inside, &inside, ring.ring, []Key{key}, Config{Keyring: ring}, Stats{Keys: ring.Keys()}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			checkSecret(t, key, fmt.Sprintf(verb, v))
		}
		logger.Info("a value", "value", v, "quoted", hclog.Fmt("%+v", v))
		if text, err := json.Marshal(v); err == nil {
			checkSecret(t, key, string(text))
		}
	}
	checkSecret(t, key, lines.buf.String())
	if got := fmt.Sprintf("%x", key); got != "gossip key "+key.Fingerprint() {
		t.Errorf("printed as %q", got)
	}
}

// checkSecret fails if text shows a key in one of the forms in which Go prints bytes.
func checkSecret(t *testing.T, key Key, text string) {
	t.Helper()
	raw := key.bytes()
	for _, form := range []string{
		key.Reveal(), hex.EncodeToString(raw), string(raw), strings.ToUpper(hex.EncodeToString(raw)),
		strings.Trim(fmt.Sprintf("%d", raw), "[]"),
	} {
		if strings.Contains(text, form) {
			t.Errorf("the key shows in: %.60q...", text)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	for _, seed := range []string{"", "AAAAAAAAAAAAAAAAAAAAAA==", NewKey().Reveal(), strings.Repeat("A", 42) + "B=", "key\n\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParseKey(text)
		if err != nil {
			if candor.ReasonOf(err) != candor.ReasonInvalid || key.Fingerprint() != "" {
				t.Errorf("refused with %v and key %s", err, key)
			}
			checkNoEcho(t, err, text)
			return
		}
		if key.Reveal() != strings.TrimSpace(text) {
			t.Error("a key has a second spelling")
		}
		if err := checkFingerprint(key.Fingerprint()); err != nil {
			t.Error(err)
		}
	})
}

// checkNoEcho fails if an error repeats as much of its input as the shortest key has.
func checkNoEcho(t *testing.T, err error, input string) {
	t.Helper()
	const window = 22
	for i := 0; i+window <= len(input); i++ {
		if strings.Contains(err.Error(), input[i:i+window]) {
			t.Fatalf("the error repeats its input: %v", err)
		}
	}
}
