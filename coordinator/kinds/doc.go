// Package kinds reads the objects that the built-in controllers are about: an object and
// its decoded parts, side by side.
//
// It guarantees that what it hands out fits the object it was read from, and that a
// status is only written where its encoding changes. It refuses an object whose parts do
// not decode, with an Error of reason INVALID. Plans of the controllers take what it
// made; nothing in it is ever modified.
package kinds
