package candor

import (
	"bytes"
	"encoding/json"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// The resources with units of their own; any other name counts whole pieces.
const (
	ResourceCPU    = "cpu"    // in thousandths of a core
	ResourceMemory = "memory" // in bytes
)

// maxResources bounds the names in one Resources.
const maxResources = 16

// Amount is how much of one resource, in its base unit.
type Amount struct {
	Name  string
	Value int64
}

// Resources are amounts of resources, each name once, in order of names; amounts
// are never negative. As JSON they are an object of quantities in the Kubernetes
// form, {"cpu":"500m","memory":"4Gi"}. Do not modify one that was read.
type Resources []Amount

// ParseAmount reads a quantity of the named resource: an integer or a decimal, with
// one of the suffixes m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei or none. It
// refuses what is negative, does not fit 63 bits, or is no whole number of base
// units. It depends on its arguments alone.
func ParseAmount(name, text string) (int64, *Error) {
	digits, scale, thousandth := cutSuffix(text)
	whole, fraction, point := strings.Cut(digits, ".")
	if strings.HasPrefix(digits, "-") {
		return 0, invalidField(name, "%q is negative", clip(text))
	}
	if !decimal(whole) || point && !decimal(fraction) || len(fraction) > 9 {
		return 0, invalidField(name, "%q is no quantity: want 2, 0.5, 500m, 64Mi or 4Gi", clip(text))
	}
	// The value is digits * scale / divisor, in base units.
	divisor := int64(1)
	for range fraction {
		divisor *= 10
	}
	number, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return 0, invalidField(name, "%q is more than fits", clip(text))
	}
	if thousandth {
		divisor *= 1000
	}
	if name == ResourceCPU {
		if scale > math.MaxInt64/1000 {
			return 0, invalidField(name, "%q is more than fits", clip(text))
		}
		scale *= 1000
	}
	high, low := bits.Mul64(uint64(number), uint64(scale))
	if high >= uint64(divisor) {
		return 0, invalidField(name, "%q is more than fits", clip(text))
	}
	value, rest := bits.Div64(high, low, uint64(divisor))
	switch {
	case rest != 0:
		return 0, invalidField(name, "%q is no whole number of %s", clip(text), unit(name))
	case value > math.MaxInt64:
		return 0, invalidField(name, "%q is more than fits", clip(text))
	default:
		return int64(value), nil
	}
}

func unit(name string) string {
	switch name {
	case ResourceCPU:
		return "thousandths of a core"
	case ResourceMemory:
		return "bytes"
	default:
		return "pieces"
	}
}

// cutSuffix splits a quantity; thousandth says that the suffix was m.
func cutSuffix(text string) (digits string, scale int64, thousandth bool) {
	suffixes := [...]struct {
		suffix string
		scale  int64
	}{
		{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"Pi", 1 << 50}, {"Ei", 1 << 60},
		{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15}, {"E", 1e18},
	}
	for _, s := range suffixes {
		if rest, ok := strings.CutSuffix(text, s.suffix); ok {
			return rest, s.scale, false
		}
	}
	if rest, ok := strings.CutSuffix(text, "m"); ok {
		return rest, 1, true
	}
	return text, 1, false
}

func decimal(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// FormatAmount writes an amount so that ParseAmount reads it back: the shortest
// exact form.
func FormatAmount(name string, value int64) string {
	if name == ResourceCPU {
		if value%1000 == 0 {
			return strconv.FormatInt(value/1000, 10)
		}
		return strconv.FormatInt(value, 10) + "m"
	}
	if name == ResourceMemory {
		for _, s := range []struct {
			suffix string
			scale  int64
		}{{"Ei", 1 << 60}, {"Pi", 1 << 50}, {"Ti", 1 << 40}, {"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}} {
			if value >= s.scale && value%s.scale == 0 {
				return strconv.FormatInt(value/s.scale, 10) + s.suffix
			}
		}
	}
	return strconv.FormatInt(value, 10)
}

// Get is the amount of one resource, 0 where there is none.
func (r Resources) Get(name string) int64 {
	for i := range r {
		if r[i].Name == name {
			return r[i].Value
		}
	}
	return 0
}

// Plus is the sum; ok is false, and the sum is nothing, when one would overflow.
func (r Resources) Plus(other Resources) (sum Resources, ok bool) {
	sum = slices.Clone(r)
	for _, a := range other {
		at, found := slices.BinarySearchFunc(sum, a.Name, byResource)
		if !found {
			sum = slices.Insert(sum, at, a)
			continue
		}
		if sum[at].Value > math.MaxInt64-a.Value {
			return nil, false
		}
		sum[at].Value += a.Value
	}
	return sum, true
}

// Minus is the difference, where that is above nothing.
func (r Resources) Minus(other Resources) Resources {
	rest := make(Resources, 0, len(r))
	for _, a := range r {
		a.Value -= min(a.Value, other.Get(a.Name))
		if a.Value > 0 {
			rest = append(rest, a)
		}
	}
	return rest
}

// Exceeds names the first resource of which r has more than capacity.
func (r Resources) Exceeds(capacity Resources) (name string, exceeds bool) {
	for _, a := range r {
		if a.Value > capacity.Get(a.Name) {
			return a.Name, true
		}
	}
	return "", false
}

// String is the amounts for people: "cpu 500m, memory 4Gi".
func (r Resources) String() string {
	parts := make([]string, len(r))
	for i, a := range r {
		parts[i] = a.Name + " " + FormatAmount(a.Name, a.Value)
	}
	return strings.Join(parts, ", ")
}

func byResource(a Amount, name string) int { return strings.Compare(a.Name, name) }

// MarshalJSON writes the Kubernetes form.
func (r Resources) MarshalJSON() ([]byte, error) {
	out := make(map[string]string, len(r))
	for _, a := range r {
		out[a.Name] = FormatAmount(a.Name, a.Value)
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads quantities as strings or as plain numbers. The error is
// INVALID and names the resource.
func (r *Resources) UnmarshalJSON(data []byte) error {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(data, &in); err != nil {
		return Errorf(ReasonInvalid, "resources: want an object of quantities: %v", err)
	}
	if len(in) > maxResources {
		return Errorf(ReasonInvalid, "resources: %d names, at most %d are allowed", len(in), maxResources)
	}
	out := make(Resources, 0, len(in))
	for name, raw := range in {
		if err := checkLabelKey("resources", name); err != nil {
			return err
		}
		text := string(bytes.TrimSpace(raw))
		if strings.HasPrefix(text, `"`) {
			if err := json.Unmarshal(raw, &text); err != nil {
				return Errorf(ReasonInvalid, "resources.%s: %v", name, err)
			}
		}
		value, err := ParseAmount(name, text)
		if err != nil {
			return err
		}
		out = append(out, Amount{Name: name, Value: value})
	}
	slices.SortFunc(out, func(a, b Amount) int { return strings.Compare(a.Name, b.Name) })
	*r = out
	return nil
}
