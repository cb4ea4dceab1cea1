package audit

import (
	"io"
	"io/fs"
	"testing"
)

// nowhere takes everything: what is left is the log's own cost.
type nowhere struct{}

func (nowhere) Append(string) (File, error)     { return nowhereFile{}, nil }
func (nowhere) Read(string) (Reader, error)     { return nowhereFile{}, nil }
func (nowhere) List() ([]string, error)         { return nil, nil }
func (nowhere) Rename(string, string) error     { return nil }
func (nowhere) Remove(string) error             { return fs.ErrNotExist }
func (nowhereFile) Write(p []byte) (int, error) { return len(p), nil }
func (nowhereFile) Truncate(int64) error        { return nil }
func (nowhereFile) Sync() error                 { return nil }
func (nowhereFile) Close() error                { return nil }
func (nowhereFile) Size() (int64, error)        { return 0, nil }

func (nowhereFile) ReadAt([]byte, int64) (int, error) { return 0, io.EOF }

type nowhereFile struct{}

func benchmarkLog(b *testing.B, fsys FS) *Log {
	b.Helper()
	o := options(b.TempDir())
	o.FS = fsys
	l, err := Open(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return l
}

func record(b *testing.B, l *Log, r Record) {
	ticket, err := l.Reserve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	ticket.Commit(r)
}

// BenchmarkCaller is what a request pays while the writer keeps up: the writer is
// waited for, off the clock, before the queue is full.
func BenchmarkCaller(b *testing.B) {
	l := benchmarkLog(b, nowhere{})
	r := full()
	warm := func() {
		for l.Stats().Depth > 0 {
		}
	}
	for range 8 {
		for range l.o.Queue {
			record(b, l, r)
		}
		warm()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		record(b, l, r)
		if n%2048 == 2047 {
			b.StopTimer()
			warm()
			b.StartTimer()
		}
	}
}

// BenchmarkSustained is what the writer writes to a disk, callers waiting for it.
func BenchmarkSustained(b *testing.B) {
	l := benchmarkLog(b, nil)
	r := full()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			record(b, l, r)
		}
	})
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(l.Stats().Bytes) / int64(b.N))
}

// BenchmarkUnwanted is what a read pays at the default level.
func BenchmarkUnwanted(b *testing.B) {
	o := options("")
	o.Level = LevelNone
	l, err := Open(o)
	if err != nil {
		b.Fatal(err)
	}
	l.o.Level = LevelWrites
	for b.Loop() {
		if l.Wants(ClassRead, Allowed) {
			b.Fatal("wanted")
		}
	}
}

func BenchmarkLine(b *testing.B) {
	id := identity{"n1", "id-1", "boot-1"}
	r := full()
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = id.appendLine(line[:0], &r, 1)
	}
	b.SetBytes(int64(len(line)))
}
