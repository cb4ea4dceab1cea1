package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

// defaultPoll is how soon a change of the files is seen.
const defaultPoll = 10 * time.Second

// Options of a source.
type Options struct {
	// Poll is how often the files are looked at; 0 for ten seconds.
	Poll time.Duration
	// WarnBefore is how long before its end a certificate is warned of; 0 for a third
	// of its lifetime, at most 90 days.
	WarnBefore time.Duration
	Logger     hclog.Logger
	// Now is the clock that certificates are judged by; nil for time.Now.
	Now func() time.Time
	// Self says whose certificate the files may hold, by an error for others, so that
	// a wrong file is found before anybody relies on it; nil for whosever. Without a
	// certificate it is asked about the zero Identity.
	Self func(candor.Identity) error
}

// Source is the files of one party, kept up to date: the one reloader of a process
// for every listener and dialler. Its methods may be called concurrently.
type Source struct {
	files   Files
	options Options
	logger  hclog.Logger
	now     func() time.Time

	material atomic.Pointer[Material]

	looking  sync.Mutex // one look at a time; guards reminded
	reminded map[string]time.Time

	mu       sync.Mutex // guards what follows; never held across I/O or a log sink
	sum      string     // of the content that material is of
	changed  chan struct{}
	loadedAt time.Time
	reloads  uint64
	bad      failure
	closed   bool

	stop context.CancelFunc
	done chan struct{}
}

// failure is what the files were found in when they were last looked at.
type failure struct {
	of     string // the content, or what reading it failed with
	looks  int    // how often in a row
	err    error  // nil also while a pair may be half-written
	since  time.Time
	logged bool
}

// Open loads the files, which must be good, and goes on looking at them until
// Close. It panics without a logger.
func Open(files Files, o Options) (*Source, error) {
	if o.Logger == nil {
		panic("identity: Open needs a logger")
	}
	if o.Poll == 0 {
		o.Poll = defaultPoll
	}
	if o.Poll < 0 || o.WarnBefore < 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "TLS files: poll %s and warn-before %s: want neither negative", o.Poll, o.WarnBefore)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Source{
		files: files, options: o, logger: o.Logger.Named("identity"), now: o.Now,
		reminded: map[string]time.Time{}, changed: make(chan struct{}), done: make(chan struct{}),
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.poll(ctx)
	return s, nil
}

// begin is the first look, of which every error is the caller's.
func (s *Source) begin() error {
	now := s.now()
	content, m, err := s.first(now)
	for again := 0; errors.Is(err, errUnpaired) && again < halfWrittenLooks; again++ {
		time.Sleep(halfWrittenPause)
		content, m, err = s.first(now)
	}
	if err != nil {
		return err
	}
	if s.options.Self != nil {
		if err = s.options.Self(m.Self); err != nil {
			return &candor.Error{Reason: candor.ReasonInvalid, Subject: s.files.Cert, Message: "TLS files " + s.files.list() + ": " + messageOf(err), Err: err}
		}
	}
	s.material.Store(m)
	s.sum, s.loadedAt = content.sum(), now
	s.logWarnings(m)
	s.remind()
	return nil
}

// How often, and how soon, a pair that does not match is looked at again at the
// start: it may be half-written.
const (
	halfWrittenLooks = 10
	halfWrittenPause = 20 * time.Millisecond
)

func (s *Source) first(now time.Time) (Content, *Material, error) {
	content, mode, err := s.files.read()
	if err != nil {
		return content, nil, err
	}
	m, err := s.files.parse(content, warnMode(s.files.Key, mode), now)
	return content, m, err
}

// Material is what is current. Whoever waits for the next takes Changed first.
func (s *Source) Material() *Material { return s.material.Load() }

// Changed is closed when other material takes effect.
func (s *Source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Check looks at the files now. New material that is good is current when it
// returns; the error says what is wrong with them, and the last good material
// stays. SHUTTING_DOWN after Close.
func (s *Source) Check() error {
	s.looking.Lock()
	defer s.looking.Unlock()
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return candor.Errorf(candor.ReasonShuttingDown, "the TLS files are no longer looked at")
	}
	defer s.remind()
	return s.look()
}

// Close ends the looking and waits for it. Material and configurations stay usable
// as they are.
func (s *Source) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	<-s.done
	return nil
}

func (s *Source) poll(ctx context.Context) {
	defer close(s.done)
	ticker := time.NewTicker(s.options.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = s.Check() // logged once, and in Status
		}
	}
}

// look is one comparison of the files with the current material, under looking.
func (s *Source) look() error {
	content, mode, err := s.files.read()
	if err != nil {
		s.fail(err.Error(), err)
		return err
	}
	sum := content.sum()
	if sum == s.sum {
		s.recover()
		return nil
	}
	m, err := s.next(content, mode)
	if err != nil {
		// The text may tell the time; the content is what makes an error another.
		s.fail(sum, err)
		return err
	}
	s.adopt(m, sum)
	return nil
}

// next is the material of the content, if a running process may take it over.
func (s *Source) next(content Content, mode fs.FileMode) (*Material, error) {
	m, err := s.files.parse(content, warnMode(s.files.Key, mode), s.now())
	if err != nil {
		return nil, err
	}
	is := s.Material()
	if m.Cluster != is.Cluster {
		return nil, candor.Errorf(candor.ReasonClusterMismatch, "TLS files %s: they are now of cluster %s, and this process is of cluster %s; put the right files back, or restart it", s.files.list(), m.Cluster, is.Cluster)
	}
	if m.Self != is.Self {
		return nil, candor.Errorf(candor.ReasonInvalid, "TLS files %s: they are now of %s, and this process is %s; put the right files back, or restart it", s.files.list(), m.Self.URI(), is.Self.URI())
	}
	return m, nil
}

func (s *Source) adopt(m *Material, sum string) {
	s.mu.Lock()
	s.material.Store(m)
	s.sum, s.loadedAt, s.bad = sum, s.now(), failure{}
	s.reloads++
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	s.logger.Info("TLS files taken over", "identity", name(m), "authorities", len(m.Authorities), "not_after", stamp(m.NotAfter))
	s.logWarnings(m)
}

// fail notes what is wrong. A certificate and a key that do not match are taken
// for half-written at the first sight of them.
func (s *Source) fail(of string, err error) {
	s.mu.Lock()
	if s.bad.of != of {
		s.bad = failure{of: of, since: s.now()}
	}
	s.bad.looks++
	halfWritten := s.bad.looks == 1 && errors.Is(err, errUnpaired)
	if !halfWritten {
		s.bad.err = err
	}
	log := !halfWritten && !s.bad.logged
	s.bad.logged = s.bad.logged || log
	s.mu.Unlock()
	if halfWritten {
		s.logger.Debug("TLS certificate and key do not match yet", "error", err)
	}
	if log {
		m := s.Material()
		s.logger.Error("TLS files are bad; the last good ones stay", "error", err, "identity", name(m), "not_after", stamp(m.NotAfter))
	}
}

// recover is that the files are again what the material is of.
func (s *Source) recover() {
	s.mu.Lock()
	told := s.bad.logged
	s.bad = failure{}
	s.mu.Unlock()
	if told {
		s.logger.Info("TLS files are again as they are used")
	}
}

func (s *Source) logWarnings(m *Material) {
	for _, warning := range m.Warnings {
		s.logger.Warn("TLS files need attention", "warning", warning)
	}
}

// name of a party in logs.
func name(m *Material) string {
	if m.Certificate == nil {
		return "none of cluster " + m.Cluster
	}
	return m.Self.URI()
}

// sum tells contents apart; the parts cannot run into one another.
func (c Content) sum() string {
	h := sha256.New()
	for _, part := range [][]byte{c.CA, c.Cert, c.Key} {
		of := sha256.Sum256(part)
		_, _ = h.Write(of[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
