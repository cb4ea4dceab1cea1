package kinds

import (
	"encoding/json"
	"hash/maphash"
	"strconv"
)

// Limits of a document, beside candor.MaxObjectBytes.
const (
	// maxDepth is how many objects and arrays may be open at once.
	maxDepth = 64
	// maxNumber bounds the text of a number and maxExponent its exponent, so
	// that exact arithmetic on it stays cheap.
	maxNumber   = 512
	maxExponent = 512
)

type nodeKind uint8

const (
	objectNode nodeKind = iota
	arrayNode
	stringNode
	numberNode
	trueNode
	falseNode
	nullNode
)

var nodeKindNames = [...]string{"object", "array", "string", "number", "boolean", "boolean", "null"}

func (k nodeKind) String() string { return nodeKindNames[k] }

// node is one value of a document. Nodes are in the order of the text, so the
// first child of a node follows it, and next is where its last descendant ends.
type node struct {
	kind       nodeKind
	escaped    bool  // a string with a backslash
	keyEscaped bool  // the member's key has a backslash
	start, end int32 // the text of the value, with the quotes of a string
	key        int32 // where the key of a member begins, after its quote; 0 for other values
	keyEnd     int32
	next       int32
	count      int32 // children
}

// document is one JSON text and its nodes; node 0 is the whole. It refers to
// the text, which must not change while the document is used. A document is
// reused by parsing again.
type document struct {
	text   []byte
	nodes  []node
	spaced bool // white space between tokens

	at    int
	table []int32 // of refuseDuplicatesHashed
	seed  maphash.Seed
}

func (d *document) raw(i int32) []byte { return d.text[d.nodes[i].start:d.nodes[i].end] }

func (d *document) rawKey(i int32) []byte { return d.text[d.nodes[i].key:d.nodes[i].keyEnd] }

// keyOf is the key of member i, decoded into buf if it must be.
func (d *document) keyOf(i int32, buf []byte) []byte {
	if !d.nodes[i].keyEscaped {
		return d.rawKey(i)
	}
	return unescape(buf[:0], d.rawKey(i))
}

// stringOf is the content of string i, decoded into buf if it must be.
func (d *document) stringOf(i int32, buf []byte) []byte {
	content := d.text[d.nodes[i].start+1 : d.nodes[i].end-1]
	if !d.nodes[i].escaped {
		return content
	}
	return unescape(buf[:0], content)
}

// child is the member or item of node i that one step of a location names, as
// the schema library writes it: a key, or an index in decimal.
func (d *document) child(i int32, step string) (c int32, found bool) {
	list, wanted := d.nodes[i].kind == arrayNode, 0
	if list {
		var err error
		if wanted, err = strconv.Atoi(step); err != nil {
			return i, false
		}
	}
	c = i + 1
	for index := range int(d.nodes[i].count) {
		if list && index == wanted || !list && string(d.keyOf(c, nil)) == step {
			return c, true
		}
		c = d.nodes[c].next
	}
	return i, false
}

// find is the node at a location, or the deepest one on the way that exists.
func (d *document) find(location []string) (i int32) {
	for _, step := range location {
		next, found := d.child(i, step)
		if !found {
			break
		}
		i = next
	}
	return i
}

// value is node i as the schema library takes it. Numbers stay text.
func (d *document) value(i int32) any {
	n := &d.nodes[i]
	switch n.kind {
	case objectNode:
		m := make(map[string]any, n.count)
		c := i + 1
		for range n.count {
			m[string(d.keyOf(c, nil))] = d.value(c)
			c = d.nodes[c].next
		}
		return m
	case arrayNode:
		items := make([]any, 0, n.count)
		c := i + 1
		for range n.count {
			items = append(items, d.value(c))
			c = d.nodes[c].next
		}
		return items
	case stringNode:
		return string(d.stringOf(i, nil))
	case numberNode:
		return json.Number(d.raw(i))
	case trueNode:
		return true
	case falseNode:
		return false
	default:
		return nil
	}
}
