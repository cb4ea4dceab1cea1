package mvcc

// chunkSize is how many revisions share one allocation of the index.
const chunkSize = 1 << 12

// History is the index by revision over (base, head]: which versions each
// turn made. A History value is immutable to its readers; the writer extends
// its own copy in slots that no published value covers.
type History struct {
	// base is the last revision that is not indexed.
	base   uint64
	head   uint64
	chunks []*[chunkSize]*Version
}

// NewHistory is an empty index after revision base.
func NewHistory(base uint64) History {
	base -= base % chunkSize
	return History{base: base, head: base}
}

// Head is the newest indexed revision.
func (h *History) Head() uint64 { return h.head }

// At is the first version that the turn of the revision made, or nil. Its
// siblings follow in the turn's order.
func (h *History) At(revision uint64) *Version {
	if revision <= h.base || revision > h.head {
		return nil
	}
	i := revision - h.base - 1
	return h.chunks[i/chunkSize][i%chunkSize]
}

// Put records first as the first version of the revision, which is above
// every indexed one, or belongs to a state that nobody reads yet.
func (h *History) Put(revision uint64, first *Version) {
	i := revision - h.base - 1
	for uint64(len(h.chunks)) <= i/chunkSize {
		h.chunks = append(h.chunks, new([chunkSize]*Version))
	}
	h.chunks[i/chunkSize][i%chunkSize] = first
	h.head = max(h.head, revision)
}

// Advance moves the head to revision, whose turns made no version.
func (h *History) Advance(revision uint64) {
	if revision > h.head {
		h.Put(revision, nil)
	}
}

// Forget drops whole chunks at or below revision.
func (h *History) Forget(revision uint64) {
	drop := 0
	for len(h.chunks)-drop > 1 && h.base+chunkSize <= revision {
		drop++
		h.base += chunkSize
	}
	if drop > 0 {
		h.chunks = append([]*[chunkSize]*Version(nil), h.chunks[drop:]...)
	}
}
