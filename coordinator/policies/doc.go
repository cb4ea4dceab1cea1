// Package policies finds the failure policy that an object is under, and what it says of
// a failure.
//
// It guarantees one answer for one set of policies: of those of the object's kind that
// select it the first by name, and "default-PLURAL" where none does; a policy that says
// nothing of the failure leaves it to the default, and the default to what is built in. A
// selector that does not parse selects nothing. Controllers, drills and the verifier call
// it; it depends on its arguments alone.
package policies
