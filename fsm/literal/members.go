package literal

// Members calls yield for the members of an object in the order in which they are
// written, names without their quotes. It says whether it came to the object's end:
// text is an object, and no yield said false.
func Members(object []byte, yield func(name, value []byte) bool) bool {
	rest := skip(object, ' ')
	if len(rest) == 0 || rest[0] != '{' {
		return false
	}
	for rest = rest[1:]; ; {
		rest = skip(rest, ',')
		key := value(rest)
		if len(key) < 2 || key[0] != '"' {
			return len(rest) > 0 && rest[0] == '}'
		}
		rest = skip(rest[len(key):], ':')
		found := value(rest)
		if len(found) == 0 || !yield(key[1:len(key)-1], found) {
			return false
		}
		rest = rest[len(found):]
	}
}
