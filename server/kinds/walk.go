package kinds

import "github.com/candor-plane/candor"

// walk reads a document along a shape: it finds unknown fields and missing
// ones that have a default, and tries to prove the rest. A walk is reused.
type walk struct {
	document *document
	// additions are what defaults add, in the order of their objects.
	additions []addition
	// growth is how many bytes they are; beyond candor.MaxObjectBytes no
	// more are made, and the document must be refused.
	growth  int
	unknown faults
	// proven says that the document with its additions keeps every schema.
	proven bool
	// settle works out a default before it is used; nil when all are.
	settle func(*field)

	seen []bool // stack of the slots of open objects
	buf  []byte // decoded keys and strings
}

// run walks the whole of d along s.
func (w *walk) run(d *document, s *shape) {
	w.document, w.additions, w.growth, w.unknown, w.proven = d, w.additions[:0], 0, faults{}, true
	w.seen = w.seen[:0]
	w.visit(0, s)
}

func (w *walk) visit(i int32, s *shape) {
	if s == nil {
		return
	}
	added := 0
	if kind := w.document.nodes[i].kind; kind == objectNode {
		added = w.object(i, s)
	} else if kind == arrayNode {
		w.array(i, s)
	}
	w.proven = w.proven && s.provable
	for _, r := range s.rules {
		w.proven = w.proven && r.proves(w, i, added)
	}
}

func (w *walk) object(i int32, s *shape) (added int) {
	d := w.document
	base := len(w.seen)
	for range s.slots {
		w.seen = append(w.seen, false)
	}
	// Additions go in the order of their objects, so this one's come first and
	// need to know what is here.
	w.mark(i, s, base)
	for _, f := range s.defaults {
		if w.seen[base+f.slot] {
			continue
		}
		if w.settle != nil {
			w.settle(f)
		}
		w.seen[base+f.slot] = true
		if w.growth += len(f.member) + len(","); w.growth <= candor.MaxObjectBytes {
			w.additions = append(w.additions, addition{i, f.member})
			added++
		}
	}
	for _, f := range s.required {
		w.proven = w.proven && w.seen[base+f.slot]
	}
	w.seen = w.seen[:base]

	c := i + 1
	for range d.nodes[i].count {
		w.member(c, s)
		c = d.nodes[c].next
	}
	return added
}

// mark notes which slots the object fills.
func (w *walk) mark(i int32, s *shape, base int) {
	if len(s.required) == 0 && len(s.defaults) == 0 {
		return
	}
	d := w.document
	c := i + 1
	for range d.nodes[i].count {
		if f := s.fields[string(w.key(c))]; f != nil {
			w.seen[base+f.slot] = true
		}
		c = d.nodes[c].next
	}
}

func (w *walk) member(c int32, s *shape) {
	key := w.key(c)
	if f := s.fields[string(key)]; f != nil && f.declared {
		w.visit(c, f.shape)
		return
	}
	if s.closed {
		w.refuse(c, string(key), s)
		return
	}
	w.visit(c, s.other(key))
}

// refuse notes an unknown field; it suggests a known one to those that will be
// told of.
func (w *walk) refuse(c int32, key string, s *shape) {
	hint := ""
	switch told := len(w.unknown.list); {
	case told >= maxKept:
		w.unknown.beyond++
		return
	case told < maxFields:
		hint = suggest(key, s.names)
	}
	w.unknown.addf(int(w.document.nodes[c].start), w.document.path(c), "unknown field%s", hint)
}

func (w *walk) array(i int32, s *shape) {
	if len(s.prefix) == 0 && s.items == nil {
		return
	}
	d := w.document
	c := i + 1
	for index := range int(d.nodes[i].count) {
		w.visit(c, s.item(index))
		c = d.nodes[c].next
	}
}

// key is the decoded key of member c, until the next call of key or text.
func (w *walk) key(c int32) []byte {
	key := w.document.keyOf(c, w.buf)
	if w.document.nodes[c].keyEscaped {
		w.buf = key
	}
	return key
}

// text is the decoded content of string i, until the next call of key or text.
func (w *walk) text(i int32) []byte {
	text := w.document.stringOf(i, w.buf)
	if w.document.nodes[i].escaped {
		w.buf = text
	}
	return text
}
