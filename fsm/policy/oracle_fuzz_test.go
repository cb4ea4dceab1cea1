package policy_test

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/candor-plane/candor/fsm/policy"
)

// FuzzNothingIsAllowedThatNoRuleSays: of every Role that can be stored, which is
// JSON without a name twice, only that is allowed which encoding/json reads a rule
// for. What is no JSON may make nothing fail.
func FuzzNothingIsAllowedThatNoRuleSays(f *testing.F) {
	for _, rule := range []string{
		`{"verbs":["*"],"kinds":["*"]}`, `{"verbs":["update"],"kinds":["widgets.example.com"],"namespaces":["shop"]}`,
		`{"verbs":["update","get"],"kinds":["widgets.example.com","roles.candor"],"namePrefixes":["we","x"],"sections":["status"]}`,
		`{"kinds":["system/*"],"verbs":["get"]}`, `{"verbs":["get"],"kinds":["*"],"namespaces":null}`, `{"verbs":["get"],"kinds":["*"],"namePrefixes":[]}`,
		`{"verbs":["get"],"kinds":["*"],"sections":["all"]}`, `{"verbs":"*","kinds":["*"]}`, `{"verbs":["*"],"kinds":["*"],"namespaces":[["shop"]]}`,
		`{"verbs":["*"],"kinds":["*"],"Namespaces":["other"]}`,
		`{"verbs":["*"],"kinds":["*"],"name\u0050refixes":["we"]}`, `{"verbs":["*"],"kinds":["*"],"n\u0061mespaces":["other"]}`,
	} {
		f.Add([]byte(`{"rules":[` + rule + `]}`))
		f.Add([]byte(` { "rules" : [ {} , ` + rule + ` ] , "more" : "x" } `))
		f.Add([]byte(`{"rules":` + rule + `}`))
	}
	var asks []policy.Ask
	for _, verb := range policy.Verbs {
		for _, kind := range []string{"widgets.example.com", "roles.candor", "tokens.candor", policy.Members, policy.Audit} {
			for _, section := range []policy.Section{"", policy.Spec, policy.Status, policy.Observed} {
				asks = append(asks,
					policy.Ask{Verb: verb, Kind: kind, Namespace: "shop", Name: "web", Section: section},
					policy.Ask{Verb: verb, Kind: kind, Name: "db", Section: section}, policy.Ask{Verb: verb, Kind: kind, Section: section})
			}
		}
	}
	f.Fuzz(func(t *testing.T, role []byte) {
		p := policy.Compile(1, roles("r", string(role)), roles("b", `{"role":"r","subjects":["ana"]}`), nil)
		storable := json.Valid(role) && !twice(json.NewDecoder(bytes.NewReader(role)))
		for _, ask := range asks {
			if _, ok := p.Allows("ana", ask); ok && storable && !said(role, &ask) {
				t.Errorf("%s allows %s", role, ask)
			}
		}
	})
}

// said is whether a rule of the role says so, by the table in docs/access.md.
func said(role []byte, ask *policy.Ask) bool {
	var spec map[string]json.RawMessage
	var rules []map[string]json.RawMessage
	if json.Unmarshal(role, &spec) != nil || json.Unmarshal(spec["rules"], &rules) != nil {
		// Rules beside one that is none may count.
		var all []json.RawMessage
		if json.Unmarshal(spec["rules"], &all) != nil {
			return false
		}
		for _, text := range all {
			var one map[string]json.RawMessage
			if json.Unmarshal(text, &one) == nil {
				rules = append(rules, one)
			}
		}
	}
	return slices.ContainsFunc(rules, func(rule map[string]json.RawMessage) bool { return says(rule, ask) })
}

func says(rule map[string]json.RawMessage, ask *policy.Ask) bool {
	kinds := list(rule, "kinds")
	system, named := strings.HasPrefix(ask.Kind, "system/"), slices.Contains(kinds, ask.Kind)
	switch {
	case system:
		named = named || slices.Contains(kinds, "system/*")
	case ask.Kind != "roles.candor" && ask.Kind != "tokens.candor":
		named = named || slices.Contains(kinds, "*")
	}
	verbs, sections := list(rule, "verbs"), list(rule, "sections")
	if !named || !slices.Contains(verbs, string(ask.Verb)) && !slices.Contains(verbs, "*") {
		return false
	}
	if rule["namespaces"] != nil && !slices.Contains(list(rule, "namespaces"), ask.Namespace) {
		return false
	}
	if rule["namePrefixes"] != nil && (ask.Name == "" || !slices.ContainsFunc(list(rule, "namePrefixes"), func(p string) bool { return strings.HasPrefix(ask.Name, p) })) {
		return false
	}
	section := ask.Section
	if section == "" {
		section = policy.Spec
	}
	if ask.Verb != policy.Create && ask.Verb != policy.Update {
		return true
	}
	if rule["sections"] == nil {
		return section == policy.Spec
	}
	return slices.Contains(sections, string(section)) || slices.Contains(sections, "*")
}

// list is nil for what is no list of texts.
func list(rule map[string]json.RawMessage, name string) []string {
	var texts []string
	if json.Unmarshal(rule[name], &texts) != nil {
		return nil
	}
	return texts
}

// twice says whether some object has a name twice.
func twice(d *json.Decoder) bool {
	type level struct {
		object bool
		key    bool // the next text is one
		names  map[string]bool
	}
	stack := []*level{{}}
	for {
		token, err := d.Token()
		if err == io.EOF || err != nil {
			return false
		}
		top := stack[len(stack)-1]
		switch token {
		case json.Delim('{'):
			top.key = top.object
			stack = append(stack, &level{object: true, key: true, names: map[string]bool{}})
			continue
		case json.Delim('['):
			top.key = top.object
			stack = append(stack, &level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
			continue
		}
		if !top.object {
			continue
		}
		if name, ok := token.(string); ok && top.key {
			if top.names[name] {
				return true
			}
			top.names[name], top.key = true, false
			continue
		}
		top.key = true
	}
}
