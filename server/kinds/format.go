package kinds

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// formatNames are the formats that are asserted. Any other is refused in a
// schema: it would look like a check and be none.
var formatNames = []string{
	"date", "date-time", "duration", "email", "hostname", "int32", "int64", "ipv4", "ipv6",
	"json-pointer", "regex", "time", "uri", "uri-reference", "uuid",
}

// The formats that the library does not bring.
var ownFormats = []*jsonschema.Format{
	{Name: "int32", Validate: func(v any) error { return checkInteger(v, 32) }},
	{Name: "int64", Validate: func(v any) error { return checkInteger(v, 64) }},
}

// checkInteger accepts numbers written as integers of so many bits, and values
// that are no numbers.
func checkInteger(v any, bits int) error {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	if _, err := strconv.ParseInt(string(n), 10, bits); err != nil {
		return errors.New("want an integer that fits " + strconv.Itoa(bits) + " bits")
	}
	return nil
}
