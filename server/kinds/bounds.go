package kinds

import (
	"math/big"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// setBounds turns the bounds on a number into bounds on an integer; it says
// whether that is exact.
func (r *rule) setBounds(s *jsonschema.Schema) bool {
	one := big.NewInt(1)
	exact := true
	low := func(bound *big.Int) {
		exact = exact && bound.IsInt64()
		r.low, r.bounded = max(r.low, bound.Int64()), true
	}
	high := func(bound *big.Int) {
		exact = exact && bound.IsInt64()
		r.high, r.bounded = min(r.high, bound.Int64()), true
	}
	if s.Minimum != nil {
		low(new(big.Int).Neg(floor(new(big.Rat).Neg(s.Minimum))))
	}
	if s.ExclusiveMinimum != nil {
		low(new(big.Int).Add(floor(s.ExclusiveMinimum), one))
	}
	if s.Maximum != nil {
		high(floor(s.Maximum))
	}
	if s.ExclusiveMaximum != nil {
		high(new(big.Int).Neg(new(big.Int).Add(floor(new(big.Rat).Neg(s.ExclusiveMaximum)), one)))
	}
	if s.MultipleOf != nil {
		exact = exact && s.MultipleOf.IsInt() && s.MultipleOf.Num().IsInt64() && s.MultipleOf.Sign() > 0
		if exact {
			r.multipleOf, r.bounded = s.MultipleOf.Num().Int64(), true
		}
	}
	return exact
}

// floor is the greatest integer that is not above r.
func floor(r *big.Rat) *big.Int {
	return new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: rounds down, as Denom > 0
}
