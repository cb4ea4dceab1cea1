package dev

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
)

// Request is what a second terminal asks of a running cluster.
type Request struct {
	// Verb is kill, start, stop, pause, resume or list.
	Verb string `json:"verb"`
	Node string `json:"node,omitempty"`
}

// Response answers it.
type Response struct {
	Error string   `json:"error,omitempty"`
	Lines []string `json:"lines,omitempty"`
}

func socketPath(dir string) string { return filepath.Join(dir, "control.sock") }

// Ask sends one request to the cluster that runs in the folder.
func Ask(ctx context.Context, dir string, q Request) (Response, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", socketPath(dir))
	if err != nil {
		return Response{}, candor.Errorf(candor.ReasonUnavailable, "no cluster runs in %s: start one with `candor dev --data %s`, or say where it is with --data", dir, dir)
	}
	defer func() { _ = c.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return Response{}, candor.Wrap("dev", err)
		}
	}
	if err := json.NewEncoder(c).Encode(q); err != nil {
		return Response{}, candor.Wrap("dev", err)
	}
	var r Response
	if err := json.NewDecoder(c).Decode(&r); err != nil {
		return Response{}, candor.Wrap("dev", err)
	}
	if r.Error != "" {
		return r, candor.Errorf(candor.ReasonInvalid, "%s", r.Error)
	}
	return r, nil
}

// control serves requests until it is closed.
type control struct {
	listener net.Listener
	cluster  *Cluster
	wait     sync.WaitGroup
}

func listenControl(dir string, cluster *Cluster) (*control, error) {
	path := socketPath(dir)
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return nil, candor.Errorf(candor.ReasonDataLocked, "a cluster runs in %s already", dir)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, candor.Wrap("dev", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "dev: control socket %s: %w: use a folder with a shorter path", path, err)
	}
	s := &control{listener: l, cluster: cluster}
	s.wait.Add(1)
	go s.run()
	return s, nil
}

func (s *control) close() {
	_ = s.listener.Close()
	s.wait.Wait()
}

func (s *control) run() {
	defer s.wait.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.wait.Go(func() {
			s.answer(c)
		})
	}
}

func (s *control) answer(c net.Conn) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	line, err := bufio.NewReader(c).ReadBytes('\n')
	if err != nil {
		return
	}
	var q Request
	r := Response{}
	if err := json.Unmarshal(line, &q); err != nil {
		r.Error = "the request does not read: " + err.Error()
	} else if r.Lines, err = s.cluster.act(q); err != nil {
		r.Error = err.Error()
	}
	// Whoever asked may be gone.
	_ = json.NewEncoder(c).Encode(r) //nolint:errchkjson // it holds strings only
}

// act does what a request asks.
func (c *Cluster) act(q Request) ([]string, error) {
	if q.Verb == "list" {
		return c.list(), nil
	}
	p := c.find(q.Node)
	if p == nil {
		return nil, candor.Errorf(candor.ReasonNotFound, "there is no node %q; there are %s", q.Node, strings.Join(c.names(), ", "))
	}
	switch q.Verb {
	case "kill":
		done, err := p.signal(syscall.SIGKILL, true)
		if err != nil {
			return nil, err
		}
		<-done
		return []string{q.Node + " killed (SIGKILL)"}, nil
	case "stop":
		done, err := p.signal(syscall.SIGTERM, true)
		if err != nil {
			return nil, err
		}
		<-done
		return []string{q.Node + " stopped"}, nil
	case "start":
		if err := p.start(); err != nil {
			return nil, err
		}
		return []string{q.Node + " started"}, nil
	case "pause":
		_, err := p.signal(syscall.SIGSTOP, false)
		return []string{q.Node + " paused (SIGSTOP)"}, err
	case "resume":
		_, err := p.signal(syscall.SIGCONT, false)
		return []string{q.Node + " resumed"}, err
	default:
		return nil, candor.Errorf(candor.ReasonUsage, "verb %q: want kill, start, stop, pause, resume or list", q.Verb)
	}
}

func (c *Cluster) list() []string {
	out := make([]string, 0, len(c.servers)+len(c.workers))
	for _, p := range c.all() {
		state, pid := p.state()
		line := fmt.Sprintf("%s\t%s\t%s", p.name, state, p.about)
		if pid != 0 {
			line += fmt.Sprintf("\tpid %d", pid)
		}
		out = append(out, line)
	}
	return out
}
