package manifest

import "bytes"

// chunk is the text of one YAML document and the line that it starts at.
type chunk struct {
	text []byte
	line int
}

// split cuts a YAML stream at its document markers: a line that begins with
// "---" or "..." followed by a blank or nothing. Inside a document no such
// line can stand at the left margin. What follows "---" on its line belongs
// to the document; a chunk without content is dropped.
func split(data []byte) []chunk {
	var chunks []chunk
	var text []byte
	start, number := 1, 0
	flush := func(next int) {
		if hasContent(text) {
			chunks = append(chunks, chunk{text: text, line: start})
		}
		text, start = nil, next
	}
	for line := range bytes.Lines(data) {
		number++
		switch {
		case marker(line, "---"):
			flush(number)
			text = append(text, "   "...)
			text = append(text, line[3:]...)
		case marker(line, "..."):
			flush(number + 1)
		default:
			text = append(text, line...)
		}
	}
	flush(number)
	return chunks
}

func marker(line []byte, mark string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(mark))
	return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == '\n')
}

// hasContent says whether any line holds more than blanks and a comment.
func hasContent(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' {
			return true
		}
	}
	return false
}
