package informer

import "sync"

// Mailbox keeps what a store tells until somebody takes it. Put is a Handler; the
// others are for one goroutine, which takes when Came says so.
type Mailbox struct {
	mu      sync.Mutex
	changes []Change
	reader  *Reader
	came    chan struct{}
}

// NewMailbox returns an empty one.
func NewMailbox() *Mailbox { return &Mailbox{came: make(chan struct{}, 1)} }

// Put is for Subscribe.
func (m *Mailbox) Put(b Batch) {
	m.mu.Lock()
	m.changes = append(m.changes, b.Changes...)
	m.reader = b.Reader
	m.mu.Unlock()
	select {
	case m.came <- struct{}{}:
	default:
	}
}

// Came gets a value when there is something to take.
func (m *Mailbox) Came() <-chan struct{} { return m.came }

// Take empties the mailbox. The reader is the newest; nil where nothing came.
func (m *Mailbox) Take() ([]Change, *Reader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	changes, reader := m.changes, m.reader
	m.changes, m.reader = nil, nil
	return changes, reader
}
