package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

// Text is a scenario as it is written into a file: scenario.Parse reads it.
func Text(s *scenario.Scenario) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "name: %s\nsummary: %s\n", s.Name, scalar(s.Summary))
	cluster := s.Cluster
	if cluster.Servers == 3 {
		cluster.Servers = 0
	}
	line := func(prefix string, value any) error {
		text, err := flow(value)
		if err == nil && text != "{}" {
			fmt.Fprintf(&b, "%s%s\n", prefix, text)
		}
		return err
	}
	if err := line("cluster: ", cluster); err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "load:\n  for: %s\n  workloads:\n", s.Load.For)
	for i := range s.Load.Workloads {
		if err := line("    - ", &s.Load.Workloads[i]); err != nil {
			return nil, err
		}
	}
	if len(s.Faults) > 0 {
		b.WriteString("faults:\n")
	}
	for _, f := range s.Faults {
		if f.Times == 1 {
			f.Times = 0
		}
		if err := line("  - ", &f); err != nil {
			return nil, err
		}
	}
	expect := s.Expect
	if expect.Acknowledged == 100 {
		expect.Acknowledged = 0
	}
	if err := line("expect: ", &expect); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// flow is a value in the flow style of YAML, its fields in the order of its type.
func flow(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", candor.Wrap("write scenario", err)
	}
	var b strings.Builder
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := write(&b, decoder); err != nil {
		return "", candor.Wrap("write scenario", err)
	}
	return b.String(), nil
}

// write copies one JSON value.
func write(b *strings.Builder, from *json.Decoder) error {
	token, err := from.Token()
	if err != nil {
		return err
	}
	open, nested := token.(json.Delim)
	if !nested {
		if text, is := token.(string); is {
			token = scalar(text)
		}
		_, err := fmt.Fprint(b, token)
		return err
	}
	b.WriteString(open.String())
	for first := true; from.More(); first = false {
		if !first {
			b.WriteString(", ")
		}
		if open == '{' {
			key, err := from.Token()
			if err != nil {
				return err
			}
			fmt.Fprintf(b, "%s: ", scalar(fmt.Sprint(key)))
		}
		if err := write(b, from); err != nil {
			return err
		}
	}
	end, err := from.Token()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(b, end)
	return err
}

// plain texts mean themselves in YAML, in flow style too.
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$|^[0-9.]+(ms|s|m|h)[0-9.smh]*$`)

// scalar is a text as YAML takes it, of one line.
func scalar(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
