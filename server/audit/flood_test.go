package audit

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAFloodOfHandshakesIsBoundedAndWhatIsLeftOutIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := open(t, options(dir))
		const seconds, each = 60, 5000
		for range seconds {
			for range each / 50 {
				for range 50 {
					l.Handshake(Record{Verdict: Denied, Method: MethodTLSHandshake, Source: "10.0.0.1:1"})
				}
				time.Sleep(10 * time.Millisecond)
			}
			put(t, l, "request") // finds room
		}
		if s := l.Stats(); s.Waits != 0 {
			t.Errorf("stats %+v: a request waited behind handshakes", s)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		var denied, omitted, summaries, requests uint64
		for _, r := range records(t, dir) {
			switch {
			case r.Verdict == Denied:
				denied++
			case r.Verdict == Omitted:
				omitted += r.Count
				summaries++
				if r.Source != "10.0.0.1:1" || r.Method != MethodTLSHandshake || r.Since.IsZero() {
					t.Errorf("summary %+v", r)
				}
			case r.Name == "request":
				requests++
			}
		}
		if denied < 6000 || denied > 6200 {
			t.Errorf("%d handshakes recorded, want 100 a second and 100 at first", denied)
		}
		if denied+omitted != seconds*each {
			t.Errorf("%d recorded and %d said to be left out, of %d", denied, omitted, seconds*each)
		}
		if summaries < 5 || summaries > 8 || requests != seconds {
			t.Errorf("%d summaries, %d requests", summaries, requests)
		}
	})
}

func TestTheLastHandshakesLeftOutAreSaidWithoutAnotherEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		o := options(dir)
		o.HandshakesPerSecond = 1
		l := open(t, o)
		for range 5 {
			l.Handshake(Record{Verdict: Failed, Method: MethodRaftHandshake})
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		got := records(t, dir)
		if len(got) != 2 || got[1].Verdict != Omitted || got[1].Count != 4 {
			t.Errorf("got %+v", got)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestHandshakesLeaveHalfOfTheQueueToRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		thaw := make(chan struct{})
		fsys.set(func(f *faulty) {
			f.write = func(p []byte) (int, error) { <-thaw; return len(p), nil }
		})
		o := options(dir)
		o.FS, o.Queue, o.HandshakesPerSecond = fsys, 10, 1000
		l := open(t, o)
		for range 100 {
			l.Handshake(Record{Verdict: Denied})
			synctest.Wait()
		}
		if s := l.Stats(); s.Depth != 5 || s.Omitted != 95 {
			t.Errorf("stats %+v: want half of the room taken", s)
		}
		put(t, l, "request")
		close(thaw)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestALevelBindsHandshakes(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	o.Level = LevelDenials
	l := open(t, o)
	l.Handshake(Record{Verdict: Allowed})
	l.Handshake(Record{Verdict: Failed})
	l.Handshake(Record{Verdict: Denied})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := records(t, dir); len(got) != 2 {
		t.Errorf("got %+v", got)
	}
}
