package link

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// How the other end proves who it is.
const (
	byNothing = iota
	byWord
	byTLS
	proofs
)

// FuzzFirstBytes: whatever a connection begins with, and however slowly it comes,
// nothing panics; raft and the answers get what begins with a line that is meant
// for this server, of this cluster, by the server that is proven to be there, and
// nothing else; and everything else has been hung up on by the deadline. Bytes in
// the clear get nowhere where servers prove who they are by TLS.
func FuzzFirstBytes(f *testing.F) {
	meant := func(protocol, from string) []byte {
		line, err := json.Marshal(hello{Protocol: protocol, Cluster: "c1", From: from, To: "a"})
		if err != nil {
			f.Fatal(err)
		}
		return append(line, '\n')
	}
	question := (&frame{id: 1, kind: kindConfirm, body: make([]byte, questionBytes)}).append(nil)
	proof := (&frame{id: 2, kind: kindProve, body: make([]byte, 8)}).append(nil)
	for proves := range byte(proofs) {
		f.Add(meant(forRaft, "b"), proves, byte(0))
		f.Add(append(append(meant(forCalls, "b"), question...), proof...), proves, byte(0))
		f.Add(append(meant(forCalls, "b"), bytes.Repeat([]byte{0xff}, headBytes)...), proves, byte(0))
		f.Add(meant(forCalls, "c"), proves, byte(0))
		f.Add(meant("candor-raft/9", "b"), proves, byte(0))
		f.Add([]byte("{\"protocol\":"), proves, byte(3))
		f.Add(meant(forRaft, "b"), proves, byte(40))
		f.Add(bytes.Repeat([]byte{'x'}, 2*maxHello), proves, byte(0))
		f.Add(clientHello(f), proves, byte(0))
		f.Add([]byte{}, proves, byte(0))
	}
	secure := []Secure{byNothing: nil, byWord: proven("b"), byTLS: certified{certificates(f)}}
	f.Fuzz(func(t *testing.T, data []byte, proves, drip byte) {
		proves %= proofs
		synctest.Test(t, func(t *testing.T) {
			d := begin(t, secure[proves])
			defer d.end(t)
			answer, ended := d.say(data, time.Duration(drip)*time.Millisecond)
			meant := isMeant(data, proves)
			if d.reached.Load() > 0 && !meant {
				t.Errorf("%q was taken", data)
			}
			if !ended && !meant {
				t.Errorf("%q was not hung up on by the deadline", data)
			}
			// A line that comes too slowly is not waited for.
			if welcomed := bytes.HasPrefix(answer, []byte("{}\n")); welcomed && !meant || !welcomed && meant && drip == 0 {
				t.Errorf("%q was answered with %q", data, answer)
			}
		})
	})
}

// isMeant is what a connection has to begin with, as docs say it.
func isMeant(data []byte, proves byte) bool {
	line, _, whole := bytes.Cut(data, []byte{'\n'})
	var h hello
	return proves != byTLS && whole && len(line) < maxHello && json.Unmarshal(line, &h) == nil &&
		(h.Protocol == forRaft || h.Protocol == forCalls) && h.Cluster == "c1" && h.To == "a" && (proves == byNothing || h.From == "b")
}

// door is a layer whose connections come from the test.
type door struct {
	layer   *Layer
	knocks  chan net.Conn
	shut    chan struct{}
	reached atomic.Int64
	taken   chan struct{}
}

func begin(t *testing.T, secure Secure) *door {
	t.Helper()
	d := &door{knocks: make(chan net.Conn), shut: make(chan struct{}), taken: make(chan struct{})}
	d.layer = New(Config{
		Secure: secure, Listener: d, ClusterID: "c1", ServerID: "a", Logger: hclog.NewNullLogger(),
		Dial: func(context.Context, string) (net.Conn, error) { return nil, net.ErrClosed },
	})
	d.layer.Start(counted{d}, func(string) {})
	go func() {
		defer close(d.taken)
		for {
			c, err := d.layer.Accept()
			if err != nil {
				return
			}
			d.reached.Add(1)
			defer func() { _ = c.Close() }()
		}
	}()
	return d
}

// say says something, each byte after a pause, and waits until the other end has
// hung up, or more than the deadline has passed.
func (d *door) say(data []byte, pause time.Duration) (answer []byte, ended bool) {
	near, far := net.Pipe()
	defer func() { _ = near.Close() }()
	d.knocks <- far
	said := make(chan struct{})
	go func() {
		defer close(said)
		if pause == 0 {
			_, _ = near.Write(data)
			return
		}
		for i := range data {
			time.Sleep(pause)
			if _, err := near.Write(data[i : i+1]); err != nil {
				return
			}
		}
	}()
	// One deadline for who it is, and one for what it wants.
	_ = near.SetDeadline(time.Now().Add(2*helloTimeout + time.Second))
	answer, err := io.ReadAll(near)
	<-said
	return answer, !errors.Is(err, os.ErrDeadlineExceeded)
}

func (d *door) end(t *testing.T) {
	t.Helper()
	if err := d.layer.Close(); err != nil {
		t.Error(err)
	}
	<-d.taken
}

// Accept, Close and Addr make the door a listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.knocks:
		return c, nil
	case <-d.shut:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error {
	close(d.shut)
	return nil
}

func (d *door) Addr() net.Addr { return address("door") }

// counted counts whoever gets an answer.
type counted struct{ d *door }

func (c counted) Confirm(q Question) Answer {
	c.d.reached.Add(1)
	return echo{}.Confirm(q)
}

func (c counted) Prove(ctx context.Context, from string, term uint64) Proof {
	c.d.reached.Add(1)
	return echo{}.Prove(ctx, from, term)
}

// proven is a Secure by which every caller is that server.
type proven string

func (p proven) Client(_ context.Context, c net.Conn, _ string) (net.Conn, error) { return c, nil }

func (p proven) Server(_ context.Context, c net.Conn) (net.Conn, string, error) {
	return c, string(p), nil
}

// certified is a Secure by certificates, as package server makes it.
type certified struct{ config *tls.Config }

func (s certified) Client(context.Context, net.Conn, string) (net.Conn, error) {
	return nil, net.ErrClosed
}

func (s certified) Server(ctx context.Context, c net.Conn) (net.Conn, string, error) {
	t := tls.Server(c, s.config)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, "", identity.Explain(err)
	}
	state := t.ConnectionState()
	peer, err := identity.PeerOf(&state)
	return t, peer.Name, err
}

// certificates are the configuration of a server of cluster c1.
func certificates(f *testing.F) *tls.Config {
	f.Helper()
	ca, err := identity.NewAuthority("c1", time.Hour, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	cert, key, err := ca.Issue(candor.Identity{Cluster: "c1", Party: candor.PartyServer, Name: "a"}, time.Hour, time.Now(), nil)
	if err != nil {
		f.Fatal(err)
	}
	folder := f.TempDir()
	files := identity.Files{CA: filepath.Join(folder, "ca.crt"), Cert: filepath.Join(folder, "a.crt"), Key: filepath.Join(folder, "a.key")}
	if err := identity.WriteFiles(files, identity.Content{CA: ca.CertPEM(), Cert: cert, Key: key}); err != nil {
		f.Fatal(err)
	}
	own, err := identity.Open(files, identity.Options{Logger: hclog.NewNullLogger()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := own.Close(); err != nil {
			f.Error(err)
		}
	})
	return own.Server(identity.Serving{Demand: identity.CertificateRequired, Expect: identity.OneOf(candor.PartyServer)})
}

// clientHello is how a handshake begins.
func clientHello(f *testing.F) []byte {
	f.Helper()
	near, far := net.Pipe()
	defer func() { _ = far.Close() }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Client(near, &tls.Config{MinVersion: tls.VersionTLS13, ServerName: "a"}).Handshake()
	}()
	defer func() { <-done }()
	defer func() { _ = near.Close() }()
	begins := make([]byte, 4<<10)
	n, err := far.Read(begins)
	if err != nil {
		f.Fatal(err)
	}
	return begins[:n]
}
