// Package schema explains a kind from its JSON Schema: what fields there are,
// of what type, which are required, what they default to.
//
// It reads what a schema says and judges nothing: the server validates. What a
// schema does not say is left out, and a $ref that leads nowhere, or round in
// a circle, is shown as such. `candor explain` calls it; it does no I/O.
package schema
