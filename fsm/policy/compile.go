package policy

import (
	"strings"

	"github.com/candor-plane/candor/fsm/literal"
)

// Object is a Role, RoleBinding or Token, by its name, as far as it counts.
type Object struct {
	Name string
	Spec []byte
}

// Compile makes the policy of all objects of a revision. A binding to a role that
// does not exist binds to nothing; a token that cannot be read is none.
func Compile(revision uint64, roles, bindings, tokens []Object) *Policy {
	p := &Policy{revision: revision, bound: map[string][]*Role{}, everyone: map[string][]*Role{}, tokens: map[string]Token{}}
	known := make(map[string]*Role, len(roles))
	for _, o := range roles {
		known[o.Name] = readRole(o.Name, o.Spec)
	}
	for _, o := range bindings {
		name, _ := literal.Text(literal.Member(o.Spec, "role"))
		role := known[name]
		subjects, ok := literal.Texts(literal.Member(o.Spec, "subjects"))
		if role == nil || !ok {
			continue
		}
		for _, subject := range subjects {
			if party, all := strings.CutSuffix(subject, "*"); all && strings.HasSuffix(party, "/") {
				p.everyone[party] = append(p.everyone[party], role)
				continue
			}
			p.bound[subject] = append(p.bound[subject], role)
		}
	}
	for _, o := range tokens {
		if t, ok := readToken(o.Spec); ok {
			p.tokens[o.Name] = t
		}
	}
	return p
}
