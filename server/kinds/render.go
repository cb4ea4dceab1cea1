package kinds

// addition is a member that a default adds at the end of object node: its key,
// colon and value. A walk makes them in the order of their objects.
type addition struct {
	node   int32
	member []byte
}

// appendCompact appends the document without white space and with additions.
// All other text is as it was.
func (d *document) appendCompact(dst []byte, additions []addition) []byte {
	dst, _ = d.appendNode(dst, 0, additions)
	return dst
}

func (d *document) appendNode(dst []byte, i int32, additions []addition) ([]byte, []addition) {
	n := &d.nodes[i]
	if n.kind != objectNode && n.kind != arrayNode || !d.spaced && (len(additions) == 0 || additions[0].node >= n.next) {
		return append(dst, d.raw(i)...), additions
	}
	own := additions
	for len(additions) > 0 && additions[0].node == i {
		additions = additions[1:]
	}
	own = own[:len(own)-len(additions)]

	opening, closing := byte('{'), byte('}')
	if n.kind == arrayNode {
		opening, closing = '[', ']'
	}
	dst = append(dst, opening)
	first, c := len(dst), i+1
	for range n.count {
		if len(dst) > first {
			dst = append(dst, ',')
		}
		if key := d.nodes[c].key; key != 0 {
			dst = append(dst, d.text[key-1:d.nodes[c].keyEnd+1]...)
			dst = append(dst, ':')
		}
		dst, additions = d.appendNode(dst, c, additions)
		c = d.nodes[c].next
	}
	for _, a := range own {
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(dst, a.member...)
	}
	return append(dst, closing), additions
}
