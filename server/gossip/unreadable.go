package gossip

import (
	"bytes"
	"net"
	"strings"
	"sync/atomic"
	"time"

	candor "github.com/candor-plane/candor"
)

// Why a peer and this server do not understand each other, for people.
const (
	causeForeignKey  = "no key on this ring opens what it sends"
	causePlaintext   = "it sends plaintext, and this server requires encryption"
	causeNoKeyring   = "it encrypts, and this server has no key ring"
	causeOwnKey      = "it has no key for what this server sends"
	causeOwnPlain    = "it requires encryption, and this server sends plaintext"
	causePeerKeyless = "it has no key ring, and this server encrypts"
)

// The library tells of messages that it cannot open in its log lines and in the
// errors of exchanges, nowhere else. These are its words, and the tests that run
// into each of them fail if an upgrade changes them.
var unreadableWords = []struct{ words, ours, theirs string }{
	{"Decrypt packet failed: ", causeForeignKey, causeForeignKey},
	{"no installed keys could decrypt the message", causeForeignKey, causeOwnKey},
	{"encryption is configured but remote state is not encrypted", causePlaintext, causeOwnPlain},
	{"remote state is encrypted and encryption is not configured", causeNoKeyring, causePeerKeyless},
}

// remoteWords stand before what the peer, and not this server, has to say.
const remoteWords = "remote error: "

// unreadableCause finds in the library's words whether a message could not be
// opened, and on which side.
func unreadableCause(text string) (cause string, found bool) {
	for _, u := range unreadableWords {
		before, _, ok := strings.Cut(text, u.words)
		if !ok {
			continue
		}
		if strings.Contains(before, remoteWords) {
			return u.theirs, true
		}
		return u.ours, true
	}
	return "", false
}

// unreadable counts and notes peers whose messages cannot be opened, or that say
// so of this server's. It is called from within the library and never waits.
type unreadable struct {
	box     *mailbox
	refused *refusalCounts
	failed  atomic.Uint64 // messages that no key on the ring opened
}

// line takes a line of the library's log.
func (u *unreadable) line(line []byte) {
	if !bytes.Contains(line, []byte("crypt")) {
		return
	}
	text := string(line)
	cause, found := unreadableCause(text)
	if !found {
		return
	}
	_, from, _ := strings.Cut(text, " from=")
	addr := strings.TrimSpace(from)
	// A stream comes from a port of the moment, which would make each a new peer.
	if host, _, err := net.SplitHostPort(addr); err == nil && strings.Contains(text, "failed to receive") {
		addr = host
	}
	id := ""
	if _, after, ok := strings.Cut(text, "Push/Pull with "); ok {
		id, _, _ = strings.Cut(after, " ")
	}
	u.record(id, addr, cause)
}

// exchange takes the error of an exchange that this server began.
func (u *unreadable) exchange(addr string, err error) {
	if cause, found := unreadableCause(err.Error()); found {
		u.record("", addr, cause)
	}
}

func (u *unreadable) record(id, addr, cause string) {
	if cause == causeForeignKey {
		u.failed.Add(1)
	}
	u.refused.add(candor.ReasonUnauthenticated)
	if id == "" && addr == "" {
		return // a probe's last resort, of which the library does not say whom it asked
	}
	u.box.post(note{
		kind: noteRefused, id: id, addr: addr, reason: candor.ReasonUnauthenticated, cause: cause, at: time.Now(),
	})
}
