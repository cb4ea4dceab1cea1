package gossip

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	candor "github.com/candor-plane/candor"
)

func fullMeta() Meta {
	return Meta{
		Identity: identity(1),
		Hints: Hints{
			LeaderID: serverID(2), Term: 7, Applied: 1042, Voter: true, Mode: "HEALTHY",
		},
		Leaving: true,
	}
}

func smallMeta() Meta {
	return Meta{Identity: Identity{ClusterID: "c", ServerID: serverID(1), BootID: "b", Name: "n"}}
}

func mustEncode(t testing.TB, m Meta) []byte {
	t.Helper()
	b, err := encodeMeta(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The bytes are the wire: a change here breaks clusters in mid-upgrade.
func TestMetaKeepsItsGoldenBytes(t *testing.T) {
	for file, m := range map[string]Meta{"meta_v1_full.hex": fullMeta(), "meta_v1_small.hex": smallMeta()} {
		want, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		encoded := mustEncode(t, m)
		got := hex.EncodeToString(encoded)
		if golden := strings.Join(strings.Fields(string(want)), ""); got != golden {
			t.Errorf("%s: encoded %s, want %s", file, got, golden)
		}
		decoded, err := decodeMeta(encoded)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if diff := cmp.Diff(m, decoded); diff != "" {
			t.Errorf("%s: decoded (-want +got):\n%s", file, diff)
		}
	}
}

func TestMetaSkipsFieldsOfLaterBuilds(t *testing.T) {
	b := append(mustEncode(t, fullMeta()), 200, 3, 'n', 'e', 'w')
	got, err := decodeMeta(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullMeta(), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMetaRefusesBadBytes(t *testing.T) {
	good := mustEncode(t, smallMeta())
	replace := func(at int, with byte) []byte {
		b := bytes.Clone(good)
		b[at] = with
		return b
	}
	for name, b := range map[string][]byte{
		"empty":              {},
		"another version":    replace(0, 2),
		"no fields":          {metaVersion},
		"cut off":            good[:len(good)-1],
		"field twice":        append(bytes.Clone(good), tagName, 1, 'n'),
		"length past end":    append(bytes.Clone(good), tagMode, 9, 'M'),
		"length without end": append(bytes.Clone(good), tagMode, 0x80),
		"server ID short":    {metaVersion, tagClusterID, 2, idText, 'c', tagServerID, 1, 1},
		"ID form unknown":    replace(3, 9),
		"number trailing":    append(bytes.Clone(good), tagTerm, 2, 1, 1),
		"feature level big":  append(bytes.Clone(good), tagFeatureLevel, 5, 0xff, 0xff, 0xff, 0xff, 0x7f),
		"control character":  append(bytes.Clone(good), tagMode, 1, 0x1b),
		"over the limit":     append(bytes.Clone(good), append([]byte{200, 0xf4, 0x03}, make([]byte, 500)...)...),
	} {
		if m, err := decodeMeta(b); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: decoded %+v, error %v, want %s", name, m, err, candor.ReasonInvalid)
		}
	}
}

func TestMetaRefusesBadFields(t *testing.T) {
	for name, change := range map[string]func(*Meta){
		"no cluster ID":       func(m *Meta) { m.ClusterID = "" },
		"server ID no UUID":   func(m *Meta) { m.ServerID = "n1" },
		"server ID uppercase": func(m *Meta) { m.ServerID = strings.ToUpper("aaaaaaaa-0000-4000-8000-000000000001") },
		"no boot ID":          func(m *Meta) { m.BootID = "" },
		"no name":             func(m *Meta) { m.Name = "" },
		"name with a space":   func(m *Meta) { m.Name = "n 1" },
		"name not ASCII":      func(m *Meta) { m.Name = "nö" },
		"name with escape":    func(m *Meta) { m.Name = "\x1b[31mn1" },
		"name too long":       func(m *Meta) { m.Name = strings.Repeat("n", maxNameBytes+1) },
		"address too long":    func(m *Meta) { m.APIAddr = strings.Repeat("a", maxAddrBytes+1) },
		"leader no UUID":      func(m *Meta) { m.LeaderID = "n2" },
		"mode too long":       func(m *Meta) { m.Mode = strings.Repeat("M", maxModeBytes+1) },
	} {
		m := fullMeta()
		change(&m)
		if _, err := encodeMeta(m); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: error %v, want %s", name, err, candor.ReasonInvalid)
		}
	}
}

// An identity that is accepted leaves room for every value of the hints.
func TestMetaThatMayOutgrowItsLimitIsRefusedAtStart(t *testing.T) {
	id := identity(1)
	id.APIAddr = strings.Repeat("a", maxAddrBytes)
	id.RaftAddr = strings.Repeat("r", maxAddrBytes)
	id.DebugAddr = ""
	id.Name = "n"
	if err := checkRoom(id); err != nil {
		t.Fatalf("an identity that fits was refused: %v", err)
	}
	id.DebugAddr = strings.Repeat("d", maxAddrBytes)
	if _, err := encodeMeta(Meta{Identity: id}); err != nil {
		t.Fatalf("the identity alone should still fit: %v", err)
	}
	logger, _ := testLogger()
	_, err := Start(t.Context(), Config{Identity: id, BindAddr: "127.0.0.1", Logger: logger})
	if candor.ReasonOf(err) != candor.ReasonInvalid || !strings.Contains(err.Error(), "at most 512") {
		t.Fatalf("start with an identity that may outgrow the limit: %v", err)
	}
}

func FuzzMeta(f *testing.F) {
	f.Add(mustEncode(f, fullMeta()))
	f.Add(mustEncode(f, smallMeta()))
	f.Add([]byte{metaVersion})
	f.Add([]byte{})
	f.Add(append(mustEncode(f, smallMeta()), tagTerm, 10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMeta(b)
		if err != nil {
			return
		}
		again, err := encodeMeta(m)
		if err != nil {
			t.Fatalf("decoded %+v, which cannot be encoded: %v", m, err)
		}
		if len(again) > len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(again))
		}
		back, err := decodeMeta(again)
		if err != nil {
			t.Fatalf("encoded form is refused: %v", err)
		}
		if back != m {
			t.Fatalf("decoded %+v, again %+v", m, back)
		}
	})
}

func TestUUIDHasOneSpelling(t *testing.T) {
	id, ok := parseUUID(testCluster)
	if !ok || formatUUID(id[:]) != testCluster {
		t.Fatalf("%s did not survive", testCluster)
	}
	for _, s := range []string{"", "x", strings.ToUpper(testCluster), testCluster + "0", strings.ReplaceAll(testCluster, "-", "_"), "6f1d3a52-0c7e-4e0b-9a55-0d6a2f4c1bzz"} {
		if _, ok := parseUUID(s); ok {
			t.Errorf("%q was accepted", s)
		}
	}
}
