package identity_test

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

const poll = 10 * time.Second

// journal is what a source logged.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(p)
}

func (j *journal) count(message string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.lines.String(), `"@message":"`+message)
}

func (j *journal) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: j, JSONFormat: true, Level: hclog.Info})
}

const (
	logBad     = "TLS files are bad; the last good ones stay"
	logTaken   = "TLS files taken over"
	logAgain   = "TLS files are again as they are used"
	logExpires = "certificate expires soon"
	logExpired = "certificate has expired"
)

// watch opens a source of the content in the bubble's time.
func watch(t *testing.T, content identity.Content, o identity.Options) (*identity.Source, identity.Files, *journal) {
	t.Helper()
	files := filesIn(t.TempDir())
	write(t, files, content)
	log := &journal{}
	o.Logger = log.logger()
	source, err := identity.Open(files, o)
	if err != nil {
		t.Fatal(err)
	}
	return source, files, log
}

// pass lets virtual time go on and everything that is due then happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func closed(changed <-chan struct{}) bool {
	select {
	case <-changed:
		return true
	default:
		return false
	}
}

func TestAChangeOfTheFilesIsTakenOverAtTheNextPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t, "c1", time.Now())
		source, files, log := watch(t, issue(t, a, server("c1", "s1"), year, time.Now()), identity.Options{})
		defer source.Close()
		before, changed := source.Material(), source.Changed()
		pass(3 * poll)
		if closed(changed) || source.Material() != before {
			t.Fatal("unchanged files were taken over")
		}
		write(t, files, issue(t, a, server("c1", "s1"), 2*year, time.Now()))
		pass(poll)
		if !closed(changed) || source.Material() == before || !source.Material().NotAfter.After(before.NotAfter) {
			t.Fatal("changed files were not taken over")
		}
		status := source.Status()
		if status.Reloads != 1 || status.LastError != nil || !status.LoadedAt.Equal(time.Now()) || status.Self != server("c1", "s1") ||
			status.Fingerprint != identity.Fingerprint(source.Material().Certificate.Leaf) || len(status.Authorities) != 1 {
			t.Errorf("status %+v", status)
		}
		if log.count(logTaken) != 1 || closed(source.Changed()) {
			t.Errorf("taken over %d times", log.count(logTaken))
		}
	})
}

func TestTheLastGoodStateStaysWhileTheFilesAreBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t, "c1", time.Now())
		good := issue(t, a, server("c1", "s1"), year, time.Now())
		source, files, log := watch(t, good, identity.Options{})
		defer source.Close()
		before, changed := source.Material(), source.Changed()

		write(t, files, identity.Content{Cert: []byte("-----BEGIN CERTIFICATE-----\n")})
		pass(poll)
		since := time.Now()
		pass(5 * poll)
		if source.Material() != before || closed(changed) {
			t.Fatal("bad files were taken over")
		}
		status := source.Status()
		says(t, status.LastError, candor.ReasonInvalid, "cut short", files.Cert)
		if !status.LastErrorSince.Equal(since) {
			t.Errorf("since %s, not %s", status.LastErrorSince, since)
		}
		says(t, source.Check(), candor.ReasonInvalid, "cut short")
		if n := log.count(logBad); n != 1 {
			t.Errorf("one error was logged %d times", n)
		}

		if err := os.Remove(files.CA); err != nil {
			t.Fatal(err)
		}
		pass(3 * poll)
		says(t, source.Status().LastError, candor.ReasonNotFound, files.CA)
		if n := log.count(logBad); n != 2 {
			t.Errorf("two errors were logged %d times", n)
		}

		write(t, files, good)
		pass(poll)
		if source.Status().LastError != nil || source.Material() != before || closed(changed) || log.count(logAgain) != 1 {
			t.Errorf("the files are good again: %+v", source.Status())
		}
	})
}

func TestAPairThatIsHalfWrittenIsNotYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t, "c1", time.Now())
		source, files, log := watch(t, issue(t, a, server("c1", "s1"), year, time.Now()), identity.Options{})
		defer source.Close()
		before := source.Material()
		next := issue(t, a, server("c1", "s1"), 2*year, time.Now())

		write(t, files, identity.Content{Key: next.Key})
		pass(poll)
		if source.Material() != before || source.Status().LastError != nil || log.count(logBad) != 0 {
			t.Fatalf("half a pair: %+v", source.Status())
		}
		write(t, files, identity.Content{Cert: next.Cert})
		pass(poll)
		if source.Material() == before || log.count(logBad) != 0 {
			t.Fatal("the whole pair was not taken over quietly")
		}

		write(t, files, identity.Content{Key: issue(t, a, server("c1", "s1"), year, time.Now()).Key})
		says(t, source.Check(), candor.ReasonInvalid, "does not belong")
		pass(3 * poll)
		if says(t, source.Status().LastError, candor.ReasonInvalid, "does not belong"); log.count(logBad) != 1 {
			t.Errorf("a pair that stays wrong was logged %d times", log.count(logBad))
		}
	})
}

// The content stays, and what is wrong with it passes with time.
func TestACertificateFromTheFutureIsTakenOverWhenItIsValid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t, "c1", time.Now())
		source, files, log := watch(t, issue(t, a, server("c1", "s1"), year, time.Now()), identity.Options{})
		defer source.Close()
		before := source.Material()
		write(t, files, issue(t, a, server("c1", "s1"), year, time.Now().Add(time.Hour)))
		pass(10 * time.Minute)
		says(t, source.Status().LastError, candor.ReasonInvalid, "not yet valid")
		if log.count(logBad) != 1 {
			t.Errorf("one error was logged %d times", log.count(logBad))
		}
		pass(time.Hour)
		if source.Material() == before || source.Status().LastError != nil {
			t.Error("a certificate that is valid by now is not used")
		}
	})
}

func TestNoChangeOfFilesMakesAProcessAnotherParty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, foreign := authority(t, "c1", time.Now()), authority(t, "c2", time.Now())
		source, files, _ := watch(t, issue(t, a, server("c1", "s1"), year, time.Now()), identity.Options{})
		defer source.Close()
		before := source.Material()
		write(t, files, issue(t, a, server("c1", "s2"), year, time.Now()))
		says(t, source.Check(), candor.ReasonInvalid, "spiffe://c1/server/s2", "this process is spiffe://c1/server/s1")
		write(t, files, issue(t, foreign, server("c2", "s1"), year, time.Now()))
		says(t, source.Check(), candor.ReasonClusterMismatch, "cluster c2", "cluster c1")
		for _, path := range []string{files.Cert, files.Key} {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		}
		says(t, source.Check(), candor.ReasonInvalid, "are empty")
		if source.Material() != before {
			t.Error("it became another")
		}
	})
}

func TestCheckTakesOverWithoutWaitingForThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t, "c1", time.Now())
		source, files, _ := watch(t, issue(t, a, server("c1", "s1"), year, time.Now()), identity.Options{})
		before := source.Material()
		write(t, files, issue(t, a, server("c1", "s1"), 2*year, time.Now()))
		if err := source.Check(); err != nil || source.Material() == before {
			t.Errorf("%v", err)
		}
		if err := source.Close(); err != nil {
			t.Fatal(err)
		}
		says(t, source.Check(), candor.ReasonShuttingDown)
		if err := source.Close(); err != nil || source.Material() == nil {
			t.Error("a second Close, and material after it")
		}
	})
}

func TestExpiryIsWarnedOfOnceADayAndThenSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t, "c1", time.Now())
		source, files, log := watch(t, issue(t, a, server("c1", "s1"), 30*day, time.Now()), identity.Options{Poll: time.Hour})
		defer source.Close()
		pass(19 * day)
		if n := log.count(logExpires); n != 0 {
			t.Fatalf("%d warnings in the first two thirds", n)
		}
		pass(5 * day)
		if n := log.count(logExpires); n < 3 || n > 5 {
			t.Fatalf("%d warnings in four days", n)
		}
		pass(7 * day)
		if log.count(logExpired) < 1 || log.count(logExpired) > 2 {
			t.Errorf("%d times expired within the first day", log.count(logExpired))
		}
		if source.Material().Certificate == nil || source.Check() != nil {
			t.Error("what is expired is thrown away: it is still the last good")
		}
		warned := log.count(logExpires)
		write(t, files, issue(t, a, server("c1", "s1"), 30*day, time.Now()))
		pass(10 * day)
		if log.count(logExpires) != warned || source.Status().LastError != nil {
			t.Error("a new certificate is warned of at once")
		}
	})
}

func TestAnAuthorityIsWarnedOfOnlyIfNoneOutlivesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, err := identity.NewAuthority("c1", 30*day, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		next := authority(t, "c1", time.Now())
		content := issue(t, next, server("c1", "s1"), year, time.Now())
		content.CA = bundle(old, next)
		source, files, log := watch(t, content, identity.Options{Poll: time.Hour, WarnBefore: 40 * day})
		defer source.Close()
		pass(day)
		if n := log.count(logExpires); n != 0 {
			t.Fatalf("%d warnings of an authority that has a successor", n)
		}
		alone := issue(t, old, server("c1", "s1"), 2*year, time.Now())
		write(t, files, alone)
		pass(2 * time.Hour)
		if n := log.count(logExpires); n != 2 {
			t.Errorf("%d warnings; want one of the authority and one of the certificate", n)
		}
	})
}

func TestOpenRefusesWhatItCannotUse(t *testing.T) {
	a := authority(t, "c1", time.Now())
	files := filesIn(t.TempDir())
	write(t, files, issue(t, a, server("c1", "s1"), year, time.Now()))
	logger := hclog.NewNullLogger()
	_, err := identity.Open(files, identity.Options{Logger: logger, Self: identity.Exactly(candor.PartyServer, "s2")})
	says(t, err, candor.ReasonInvalid, files.Cert, "spiffe://c1/server/s1", "want server/s2")
	_, err = identity.Open(files, identity.Options{Logger: logger, Poll: -1})
	says(t, err, candor.ReasonInvalid, "negative")
	_, err = identity.Open(identity.Files{CA: "no/such"}, identity.Options{Logger: logger})
	says(t, err, candor.ReasonNotFound, "no/such")
	source, err := identity.Open(files, identity.Options{Logger: logger, Self: identity.Exactly(candor.PartyServer, "s1")})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for name, wrong := range map[string]func(){
		"no logger":          func() { _, _ = identity.Open(files, identity.Options{}) },
		"nobody to expect":   func() { source.Client(nil) },
		"none of no parties": func() { identity.OneOf() },
		"nobody in special":  func() { identity.Exactly(candor.PartyServer, "") },
	} {
		if !panics(wrong) {
			t.Errorf("%s: a wiring fault goes unnoticed", name)
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}
