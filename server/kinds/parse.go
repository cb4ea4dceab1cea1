package kinds

import (
	"bytes"
	"hash/maphash"
	"unicode/utf8"
)

// parse reads text, strictly: RFC 8259, no duplicate keys, no text that is not
// Unicode, within the limits.
func (d *document) parse(text []byte) *fault {
	d.text, d.nodes, d.spaced, d.at = text, d.nodes[:0], false, 0
	if !utf8.Valid(text) {
		return d.fail(firstInvalid(text), "not UTF-8")
	}
	if f := d.parseValue(node{}, 0); f != nil {
		return f
	}
	d.skip()
	if d.at < len(text) {
		return d.fail(d.at, "unexpected %s after the value", d.seen())
	}
	return nil
}

func firstInvalid(text []byte) int {
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// parseValue reads one value; n has the key of a member, so that the path of a
// fault within the value is known before it ends.
func (d *document) parseValue(n node, depth int) *fault {
	d.skip()
	if d.at >= len(d.text) {
		return d.fail(d.at, "unexpected end of the text")
	}
	i := len(d.nodes)
	n.start = int32(d.at)
	d.nodes = append(d.nodes, n)
	var f *fault
	switch c := d.text[d.at]; {
	case c == '{':
		f = d.parseObject(int32(i), depth+1)
	case c == '[':
		f = d.parseArray(int32(i), depth+1)
	case c == '"':
		d.nodes[i].kind = stringNode
		var escaped bool
		escaped, f = d.parseString()
		d.nodes[i].escaped = escaped
	case c == '-' || c >= '0' && c <= '9':
		d.nodes[i].kind = numberNode
		f = d.parseNumber()
	default:
		f = d.parseWord(i)
	}
	if f != nil {
		return f
	}
	d.nodes[i].end, d.nodes[i].next = int32(d.at), int32(len(d.nodes))
	return nil
}

func (d *document) parseObject(i int32, depth int) *fault {
	if depth > maxDepth {
		return d.failIn(i, "nested deeper than %d levels", maxDepth)
	}
	d.nodes[i].kind = objectNode
	d.at++
	if d.skip(); d.eat('}') {
		return nil
	}
	for {
		if d.skip(); d.at >= len(d.text) || d.text[d.at] != '"' {
			return d.fail(d.at, "unexpected %s where a key in quotes is wanted", d.seen())
		}
		key := d.at + 1
		escaped, f := d.parseString()
		if f != nil {
			return f
		}
		keyEnd := d.at - 1
		if d.skip(); !d.eat(':') {
			return d.fail(d.at, "unexpected %s where ':' is wanted", d.seen())
		}
		if f := d.parseValue(node{key: int32(key), keyEnd: int32(keyEnd), keyEscaped: escaped}, depth); f != nil {
			return f
		}
		d.nodes[i].count++
		if d.skip(); d.eat(',') {
			continue
		}
		if d.eat('}') {
			return d.refuseDuplicates(i)
		}
		return d.fail(d.at, "unexpected %s where ',' or '}' is wanted", d.seen())
	}
}

func (d *document) parseArray(i int32, depth int) *fault {
	if depth > maxDepth {
		return d.failIn(i, "nested deeper than %d levels", maxDepth)
	}
	d.nodes[i].kind = arrayNode
	d.at++
	if d.skip(); d.eat(']') {
		return nil
	}
	for {
		if f := d.parseValue(node{}, depth); f != nil {
			return f
		}
		d.nodes[i].count++
		if d.skip(); d.eat(',') {
			continue
		}
		if d.eat(']') {
			return nil
		}
		return d.fail(d.at, "unexpected %s where ',' or ']' is wanted", d.seen())
	}
}

func (d *document) parseWord(i int) *fault {
	for _, word := range [...]struct {
		text string
		kind nodeKind
	}{{"true", trueNode}, {"false", falseNode}, {"null", nullNode}} {
		if bytes.HasPrefix(d.text[d.at:], []byte(word.text)) {
			d.nodes[i].kind = word.kind
			d.at += len(word.text)
			return nil
		}
	}
	return d.fail(d.at, "unexpected %s where a value is wanted", d.seen())
}

// A few members are compared each with each, many through a hash table.
const fewMembers = 8

func (d *document) refuseDuplicates(i int32) *fault {
	count := int(d.nodes[i].count)
	if count > fewMembers {
		return d.refuseDuplicatesHashed(i, count)
	}
	for a, c := int32(0), i+1; int(a) < count; a, c = a+1, d.nodes[c].next {
		for b, e := a+1, d.nodes[c].next; int(b) < count; b, e = b+1, d.nodes[e].next {
			if d.sameKey(c, e) {
				return d.failIn(i, "the key %s appears twice", quoted(d.keyOf(c, nil)))
			}
		}
	}
	return nil
}

func (d *document) refuseDuplicatesHashed(i int32, count int) *fault {
	size := 16
	for size < 2*count {
		size *= 2
	}
	if cap(d.table) < size {
		d.table = make([]int32, size)
		d.seed = maphash.MakeSeed()
	}
	table := d.table[:size]
	clear(table)
	var buf []byte
	c := i + 1
	for range count {
		key := d.keyOf(c, buf)
		if d.nodes[c].keyEscaped {
			buf = key
		}
		slot := maphash.Bytes(d.seed, key) & uint64(size-1)
		for table[slot] != 0 {
			if d.sameKey(table[slot], c) {
				return d.failIn(i, "the key %s appears twice", quoted(d.keyOf(c, nil)))
			}
			slot = (slot + 1) & uint64(size-1)
		}
		table[slot] = c
		c = d.nodes[c].next
	}
	return nil
}

func (d *document) sameKey(a, b int32) bool {
	if !d.nodes[a].keyEscaped && !d.nodes[b].keyEscaped {
		return bytes.Equal(d.rawKey(a), d.rawKey(b))
	}
	return string(d.keyOf(a, nil)) == string(d.keyOf(b, nil))
}
