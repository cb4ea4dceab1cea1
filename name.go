package candor

import (
	"fmt"
	"strings"
)

// The limits of DNS-1123 and of the Kubernetes conventions for labels.
const (
	maxName        = 253
	maxLabelPart   = 63
	maxAnnotations = 256 << 10
)

// CheckName returns an Error of reason INVALID unless name is a DNS-1123
// subdomain: labels of lower-case letters, digits and '-', joined by dots.
func CheckName(field, name string) error {
	if len(name) > maxName {
		return invalidField(field, "%q has %d bytes; at most %d are allowed", clip(name), len(name), maxName)
	}
	for part := range strings.SplitSeq(name, ".") {
		if !dnsLabel(part) {
			return invalidField(field, "%q is no DNS-1123 name: lower-case letters, digits, '-' and '.', with a letter or digit at both ends of every part", clip(name))
		}
	}
	return nil
}

// CheckNamespace returns an Error of reason INVALID unless name is a DNS-1123
// label of at most 63 bytes.
func CheckNamespace(field, name string) error {
	if len(name) > maxLabelPart {
		return invalidField(field, "%q has %d bytes; at most %d are allowed", clip(name), len(name), maxLabelPart)
	}
	if !dnsLabel(name) {
		return invalidField(field, "%q is no DNS-1123 label: lower-case letters, digits and '-', with a letter or digit at both ends", clip(name))
	}
	return nil
}

// CheckLabels checks label keys ("prefix/name" or "name") and values. The error
// is about the first bad key in byte order, so that it is the same everywhere.
func CheckLabels(field string, labels map[string]string) error {
	return firstBad(labels, func(key, value string) error {
		if err := checkLabelKey(field, key); err != nil {
			return err
		}
		if value != "" && !labelText(value) {
			return invalidField(field+"["+clip(key)+"]", "value %q: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends", clip(value))
		}
		return nil
	})
}

// CheckAnnotations checks annotation keys, in byte order as CheckLabels does,
// and then the total size.
func CheckAnnotations(field string, annotations map[string]string) error {
	total := 0
	err := firstBad(annotations, func(key, value string) error {
		total += len(key) + len(value)
		return checkLabelKey(field, key)
	})
	if err != nil {
		return err
	}
	if total > maxAnnotations {
		return invalidField(field, "%d bytes in all; at most %d are allowed", total, maxAnnotations)
	}
	return nil
}

// firstBad is check's error for the smallest key that has one, whatever the
// order of the walk.
func firstBad(m map[string]string, check func(key, value string) error) error {
	var first string
	var bad error
	for key, value := range m {
		if err := check(key, value); err != nil && (bad == nil || key < first) {
			first, bad = key, err
		}
	}
	return bad
}

func checkLabelKey(field, key string) error {
	prefix, name, found := strings.Cut(key, "/")
	if !found {
		prefix, name = "", key
	}
	if found && CheckName(field, prefix) != nil {
		return invalidField(field, "key %q: the part before '/' must be a DNS-1123 name", clip(key))
	}
	if !labelText(name) {
		return invalidField(field, "key %q: the name part takes 1 to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends", clip(key))
	}
	return nil
}

func dnsLabel(s string) bool {
	if s == "" || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func labelText(s string) bool {
	if s == "" || len(s) > maxLabelPart || !alphanumeric(s[0]) || !alphanumeric(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func invalidField(path, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{
		Reason: ReasonInvalid, Message: path + ": " + message,
		Fields: []FieldViolation{{Path: path, Message: message}},
	}
}

// clip keeps a hostile input from filling a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
