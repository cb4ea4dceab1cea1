package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	candor "github.com/candor-plane/candor"
)

// lastLines reads without following.
func lastLines(t *testing.T, l *Log, o TailOptions) []parsed {
	t.Helper()
	var lines []string
	err := l.Tail(t.Context(), o, func(line []byte) error {
		lines = append(lines, string(line))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return parseAll(t, lines)
}

func numbered(from, to int) []string {
	var all []string
	for n := from; n < to; n++ {
		all = append(all, fmt.Sprint(n))
	}
	return all
}

func TestTailGivesTheLastLinesAcrossFilesInOrder(t *testing.T) {
	dir := t.TempDir()
	o := small(dir)
	o.MaxFiles = 20
	l := open(t, o)
	for n := range 50 {
		putLong(t, l, fmt.Sprint(n))
	}
	eventually(t, "all written", func() bool { return l.Stats().Written == 50 })
	if l.Stats().Rotations < 4 {
		t.Fatalf("stats %+v: want several files", l.Stats())
	}
	for last, from := range map[int]int{0: 50, 1: 49, 7: 43, 8: 42, 30: 20, 49: 1, 50: 0, 51: 0, 1000: 0, All: 0} {
		got := lastLines(t, l, TailOptions{Last: last})
		if diff := cmp.Diff(numbered(from, 50), names(got)); diff != "" {
			t.Errorf("last %d (-want +got):\n%s", last, diff)
		}
	}
	got := lastLines(t, l, TailOptions{Last: 1, Filter: Filter{Name: "3"}})
	if diff := cmp.Diff([]string{"3"}, names(got)); diff != "" {
		t.Errorf("the last one called 3 (-want +got):\n%s", diff)
	}
	if s := l.Stats(); s.Tails != 0 {
		t.Errorf("stats %+v: want no reader left", s)
	}
}

func TestAFilterChoosesAndLetsWhatIsMissingThrough(t *testing.T) {
	now := time.Now()
	line := func(r Record) []byte { return identity{"n", "i", "b"}.appendLine(nil, &r, 1) }
	r := full()
	r.Time = now
	for name, c := range map[string]struct {
		filter Filter
		record Record
		want   bool
	}{
		"empty":             {Filter{}, r, true},
		"actor":             {Filter{Actor: "ana"}, r, true},
		"other actor":       {Filter{Actor: "an"}, r, false},
		"verb":              {Filter{Verb: "get"}, r, false},
		"kind":              {Filter{Kind: "x"}, r, false},
		"namespace":         {Filter{Namespace: "x"}, r, false},
		"name":              {Filter{Name: "x"}, r, false},
		"method":            {Filter{Method: "x"}, r, false},
		"request":           {Filter{RequestID: "x"}, r, false},
		"source":            {Filter{Source: "x"}, r, false},
		"verdict":           {Filter{Verdicts: []Verdict{Denied, Failed}}, r, true},
		"other verdict":     {Filter{Verdicts: []Verdict{Denied}}, r, false},
		"all at once":       {Filter{"ana", "update", "widgets.example", "default", "w", r.Method, "r-1", r.Source, nil, now}, r, true},
		"since":             {Filter{Since: now.Add(1)}, r, false},
		"lost":              {Filter{Actor: "bob"}, Record{Time: now, Verdict: Lost}, true},
		"omitted":           {Filter{Verdicts: []Verdict{Denied}}, Record{Time: now, Verdict: Omitted}, true},
		"lost, but earlier": {Filter{Since: now.Add(1)}, Record{Time: now, Verdict: Lost}, false},
	} {
		if got := c.filter.chooses(line(c.record)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// follower collects lines until it is told to stop.
type follower struct {
	lines chan string
	ended chan error
	stop  context.CancelFunc
}

func follow(t *testing.T, l *Log, o TailOptions, hold func(n int)) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{lines: make(chan string, 100_000), ended: make(chan error, 1), stop: cancel}
	o.Follow = true
	go func() {
		n := 0
		f.ended <- l.Tail(ctx, o, func(line []byte) error {
			hold(n)
			n++
			f.lines <- string(line)
			return nil
		})
	}()
	eventually(t, "a reader", func() bool { return l.Stats().Tails > 0 })
	return f
}

func (f *follower) take(t *testing.T, n int) []parsed {
	t.Helper()
	eventually(t, fmt.Sprintf("%d lines", n), func() bool { return len(f.lines) >= n })
	var got []parsed
	for range n {
		got = append(got, parse(t, <-f.lines))
	}
	return got
}

func TestFollowingLosesAndDoublesNothingAcrossRotation(t *testing.T) {
	dir := t.TempDir()
	o := small(dir)
	o.MaxFiles = 50
	l := open(t, o)
	for n := range 20 {
		putLong(t, l, fmt.Sprint(n))
	}
	// It begins in the midst of writing.
	f := follow(t, l, TailOptions{Last: All}, func(int) {})
	for n := 20; n < 300; n++ {
		putLong(t, l, fmt.Sprint(n))
	}
	if diff := cmp.Diff(numbered(0, 300), names(f.take(t, 300))); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	f.stop()
	wantReason(t, <-f.ended, candor.ReasonCanceled)
	if rotations := l.Stats().Rotations; rotations < 20 {
		t.Errorf("%d rotations", rotations)
	}
}

func TestASlowReaderIsToldHowManyLinesItLost(t *testing.T) {
	dir := t.TempDir()
	l := open(t, small(dir))
	for n := range 10 {
		putLong(t, l, fmt.Sprint(n))
	}
	eventually(t, "all written", func() bool { return l.Stats().Written == 10 })
	goOn := make(chan struct{})
	f := follow(t, l, TailOptions{Last: 10}, func(n int) {
		if n == 2 {
			<-goOn
		}
	})
	eventually(t, "the reader holds", func() bool { return len(f.lines) == 2 })
	for n := 10; n < 200; n++ {
		putLong(t, l, fmt.Sprint(n)) // does not wait for the reader
	}
	eventually(t, "all written", func() bool { return l.Stats().Written == 200 })
	close(goOn)

	next, told := 0, uint64(0)
	for next < 200 {
		r := f.take(t, 1)[0]
		if r.Verdict == Lost {
			if r.Sequence != 0 {
				t.Errorf("what is in no file has sequence %d", r.Sequence)
			}
			next, told = next+int(r.Count), told+r.Count
			continue
		}
		if r.Name != fmt.Sprint(next) {
			t.Fatalf("line %s, want %d", r.Name, next)
		}
		next++
	}
	if told == 0 || told != l.Stats().TailLost {
		t.Errorf("told of %d lost, counted %d", told, l.Stats().TailLost)
	}
	putLong(t, l, "200")
	if r := f.take(t, 1)[0]; r.Name != "200" {
		t.Errorf("then %s", r.Name)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wantReason(t, <-f.ended, candor.ReasonShuttingDown)
}

func TestAReaderGetsTheLastLinesBeforeTheEnd(t *testing.T) {
	l := open(t, options(t.TempDir()))
	f := follow(t, l, TailOptions{}, func(int) {})
	put(t, l, "a")
	f.take(t, 1)
	put(t, l, "b")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wantReason(t, <-f.ended, candor.ReasonShuttingDown)
	if diff := cmp.Diff([]string{"b"}, names(f.take(t, 1))); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	wantReason(t, l.Tail(t.Context(), TailOptions{Last: 1}, func([]byte) error { return nil }), candor.ReasonShuttingDown)
}

func TestReadersAreBoundedAndEndWithTheirEmit(t *testing.T) {
	o := options(t.TempDir())
	o.MaxTails = 1
	l := open(t, o)
	put(t, l, "a")
	eventually(t, "written", func() bool { return l.Stats().Written == 1 })
	gone := errors.New("the client has gone")
	if err := l.Tail(t.Context(), TailOptions{Last: 1, Follow: true}, func([]byte) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("got %v, want what emit said", err)
	}
	f := follow(t, l, TailOptions{}, func(int) {})
	wantReason(t, l.Tail(t.Context(), TailOptions{}, nil), candor.ReasonQueueSaturated)
	f.stop()
	<-f.ended
	wantReason(t, l.Tail(t.Context(), TailOptions{Last: -2}, nil), candor.ReasonInvalid)
}

func TestALineThatNobodyHereWroteDoesNotStopAReader(t *testing.T) {
	dir := t.TempDir()
	text := `{"name":"a"}` + "\n" + strings.Repeat("x", 3*maxLine) + "\n" + `{"name":"b"}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, rotatedName(1)), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, options(dir))
	for last := range 4 {
		got := lastLines(t, l, TailOptions{Last: last})
		want := []parsed{{Name: "a"}, {Verdict: Lost, Count: 1}, {Name: "b"}}[3-last:]
		for at := range got {
			got[at].Time, got[at].Message = time.Time{}, ""
		}
		if diff := cmp.Diff(want, got); diff != "" && last > 0 || len(got) != last {
			t.Errorf("last %d (-want +got):\n%s", last, diff)
		}
	}
}
