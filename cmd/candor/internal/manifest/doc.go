// Package manifest reads manifests: files, folders and stdin, YAML or JSON,
// one document or many.
//
// It guarantees that either everything that was named has been read and is
// well formed, or nothing is returned; that an unknown field, a field given
// twice and a value of the wrong type are refused rather than dropped; and
// that every refusal names file, document and line. What a kind's schema says
// is the server's business: Document.Place turns a field path of its refusal
// into file, document and line. The command line calls it.
package manifest
