//go:build !linux

package datadir

func (f osFile) Preallocate(size int64) error { return extend(f, size) }

// NextData knows of no holes here: every byte may be data.
func (f osFile) NextData(offset int64) (int64, error) { return offset, nil }
