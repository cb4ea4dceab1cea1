package controller

// line is the keys of one priority that wait, in the order in which they came.
type line struct {
	first, last *key
	length      int
}

func (l *line) push(k *key) {
	k.line, k.previous = l, l.last
	if l.last == nil {
		l.first = k
	} else {
		l.last.next = k
	}
	l.last = k
	l.length++
}

func (l *line) remove(k *key) {
	if k.previous == nil {
		l.first = k.next
	} else {
		k.previous.next = k.next
	}
	if k.next == nil {
		l.last = k.previous
	} else {
		k.next.previous = k.previous
	}
	k.line, k.next, k.previous = nil, nil, nil
	l.length--
}
