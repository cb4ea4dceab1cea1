package candor_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
)

func TestQuantitiesAreExactOrRefused(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       int64
	}{
		{"cpu", "2", 2000}, {"cpu", "0.5", 500}, {"cpu", "500m", 500}, {"cpu", "1.234", 1234}, {"cpu", "0", 0}, {"cpu", "2k", 2_000_000},
		{"memory", "1Ki", 1024}, {"memory", "1.5Gi", 3 << 29}, {"memory", "4Gi", 4 << 30}, {"memory", "1000m", 1}, {"memory", "1e3", -1},
		{"memory", "7Ei", 7 << 60}, {"memory", "9223372036854775807", math.MaxInt64}, {"memory", "1.5E", 1.5e18},
		{"gpu", "3", 3}, {"gpu", "0.5", -1}, {"gpu", "500m", -1}, {"cpu", "0.0001", -1}, {"cpu", "1.5m", -1}, {"memory", "0.3Ki", -1},
		{"cpu", "-1", -1}, {"cpu", "", -1}, {"cpu", "m", -1}, {"cpu", ".5", -1}, {"cpu", "5.", -1}, {"cpu", "+1", -1}, {"cpu", "1 ", -1}, {"cpu", "0x10", -1},
		{"memory", "8Ei", -1}, {"memory", "16E", -1}, {"memory", "9223372036854775808", -1}, {"cpu", "1E", -1}, {"cpu", "1Ei", -1}, {"cpu", "10P", -1},
		{"cpu", "9223372036854775", 9_223_372_036_854_775_000}, {"cpu", "9223372036854776", -1}, {"cpu", "NaN", -1}, {"cpu", "1Zi", -1}, {"cpu", "١", -1},
	} {
		got, err := candor.ParseAmount(c.name, c.text)
		if err != nil {
			got = -1
			if err.Reason != candor.ReasonInvalid {
				t.Errorf("%s %q: refused with %s, want INVALID", c.name, c.text, err.Reason)
			}
		}
		if got != c.want {
			t.Errorf("%s %q: %d, want %d (%v)", c.name, c.text, got, c.want, err)
		}
	}
}

func FuzzAmountsAreReadBackAsWritten(f *testing.F) {
	f.Add("cpu", int64(1500))
	f.Add("memory", int64(3<<30))
	f.Add("gpu", int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, name string, value int64) {
		if value < 0 {
			t.Skip("amounts are never negative")
		}
		text := candor.FormatAmount(name, value)
		if back, err := candor.ParseAmount(name, text); err != nil || back != value {
			t.Errorf("%s: %d is written %q and read back as %d, %v", name, value, text, back, err)
		}
	})
}

func resources(t *testing.T, text string) candor.Resources {
	t.Helper()
	var r candor.Resources
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestResourcesAddAndFit(t *testing.T) {
	small, large := resources(t, `{"cpu":"500m","memory":"1Gi"}`), resources(t, `{"memory":"3Gi","gpu":2,"cpu":1.5}`)
	sum, ok := small.Plus(large)
	if want := resources(t, `{"cpu":"2","gpu":2,"memory":"4Gi"}`); !ok || !cmp.Equal(sum, want) {
		t.Errorf("%s + %s = %s, want %s", small, large, sum, want)
	}
	if rest := sum.Minus(large); !cmp.Equal(rest, small) {
		t.Errorf("%s - %s = %s, want %s", sum, large, rest, small)
	}
	if name, exceeds := large.Exceeds(small); !exceeds || name != "cpu" {
		t.Errorf("%s in %s: %q, %t", large, small, name, exceeds)
	}
	if name, exceeds := small.Exceeds(large); exceeds {
		t.Errorf("%s does not fit in %s by %s", small, large, name)
	}
	if _, exceeds := resources(t, `{"gpu":1}`).Exceeds(small); !exceeds {
		t.Error("what a node does not have at all fits there")
	}
	if _, ok := resources(t, `{"gpu":9223372036854775807}`).Plus(resources(t, `{"gpu":1}`)); ok {
		t.Error("a sum that overflows was made")
	}
	if got, want := sum.String(), "cpu 2, gpu 2, memory 4Gi"; got != want {
		t.Errorf("for people: %q, want %q", got, want)
	}
}

func TestResourcesAreReadStrictly(t *testing.T) {
	for _, text := range []string{`{"cpu":"-1"}`, `{"cpu":null}`, `{"cpu":{}}`, `{"cpu":true}`, `{"":1}`, `{"c p u":1}`, `[]`, `3`, `{"memory":"99Ei"}`} {
		var r candor.Resources
		if err := json.Unmarshal([]byte(text), &r); err == nil {
			t.Errorf("%s was read as %v", text, r)
		}
	}
}

func TestAShareIsOfTheReplicas(t *testing.T) {
	for _, c := range []struct {
		text     string
		n        int32
		down, up int32
	}{{`2`, 10, 2, 2}, {`"25%"`, 10, 2, 3}, {`"0%"`, 10, 0, 0}, {`"100%"`, 7, 7, 7}, {`"1%"`, 1, 0, 1}, {`"33%"`, 2147483647, 708669603, 708669604}} {
		var s candor.Share
		if err := json.Unmarshal([]byte(c.text), &s); err != nil {
			t.Fatal(err)
		}
		if down, up := s.Of(c.n, false), s.Of(c.n, true); down != c.down || up != c.up {
			t.Errorf("%s of %d: %d and %d, want %d and %d", c.text, c.n, down, up, c.down, c.up)
		}
		if back, err := json.Marshal(s); err != nil || string(back) != c.text {
			t.Errorf("%s is written %s, %v", c.text, back, err)
		}
	}
	for _, text := range []string{`-1`, `"-5%"`, `"101%"`, `1.5`, `"x"`, `"%"`, `4294967296`, `{}`} {
		var s candor.Share
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s was read as %s", text, s)
		}
	}
}
