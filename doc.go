// Package candor is the vocabulary of a control plane that tells the truth
// about itself: objects, root tokens, freshness, witnesses, causes, kinds and
// errors, one noun a file.
//
// It holds words and the pure rules of those words (how a token orders, what a
// name may be, what a reason means for a caller), and nothing that runs. It
// imports the standard library only; every other package may import it.
package candor
