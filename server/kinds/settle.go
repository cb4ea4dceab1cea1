package kinds

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/candor-plane/candor"
)

// settle works out the member that a default adds: the default itself with the
// defaults of its own fields, checked like any other value of the field.
func (b *shaping) settle(f *field) {
	own := f.shape.fallback
	switch own.state {
	case underway:
		b.faults.addf(0, own.path, "contains itself: filling it in would not end")
		return
	case unsettled:
		own.state = underway
		own.text = marshal(own.value)
		b.faults.under(own.path, b.complete(f.shape, &own.text))
		own.state = settled
	case settled:
	}
	f.member = append(append(marshal(f.name), ':'), own.text...)
}

// complete fills in text, the default of fields of shape s, and finds what is
// wrong with it.
func (b *shaping) complete(s *shape, text *[]byte) (part faults) {
	var d document
	w := walk{settle: b.settle}
	if bad := d.parse(*text); bad != nil {
		part.addf(bad.at, bad.path, "%s", bad.message)
		return part
	}
	w.run(&d, s)
	if w.growth+len(*text) > candor.MaxObjectBytes {
		part.addf(0, "", "has more than %d bytes once the defaults of its fields are filled in", candor.MaxObjectBytes)
		return part
	}
	part = w.unknown
	*text = d.appendCompact(nil, w.additions)
	if bad := d.parse(*text); bad != nil {
		part.addf(bad.at, bad.path, "%s", bad.message)
		return part
	}
	for _, top := range b.places[s].tops() {
		if !b.cost.affordable(&d, top) {
			part.addf(0, "", "takes more than %d steps to check", maxSteps)
			return part
		}
		translation{document: &d, shape: s, faults: &part}.add(validate(top, d.value(0)))
	}
	return part
}

// marshal is compact JSON with sorted keys, and numbers as they were written.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("kinds: a decoded JSON value does not encode: " + err.Error())
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
