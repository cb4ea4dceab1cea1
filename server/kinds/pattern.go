package kinds

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// pattern is a regular expression of a schema. RE2 matches in linear time, so
// that no input can make it slow.
type pattern struct{ re *regexp.Regexp }

func compilePattern(text string) (jsonschema.Regexp, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		if s, ok := errors.AsType[*syntax.Error](err); ok {
			return nil, errors.New(strings.ToLower(string(s.Code)) + " in " + quoted(s.Expr))
		}
		return nil, err
	}
	return &pattern{re}, nil
}

// MatchString is what the library calls.
func (p *pattern) MatchString(s string) bool { return p.re.MatchString(s) }

// String is the expression.
func (p *pattern) String() string { return p.re.String() }
