package worker

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/worker/shim"
)

// The defaults of a probe.
const (
	probePeriod    = 10 * time.Second
	probeTimeout   = time.Second
	probeThreshold = 3
)

func seconds(n int32, otherwise time.Duration) time.Duration {
	if n <= 0 {
		return otherwise
	}
	return time.Duration(n) * time.Second
}

// prober asks a running instance whether it works.
type prober struct {
	probe *candor.Probe
	order *shim.Order
	http  *http.Client
}

// health is what probing says of an instance: Failing since when, and why.
type health struct {
	ready  bool
	failed time.Time
	why    string
}

// watch asks until ctx ends, and says what changed.
func (p *prober) watch(ctx context.Context, say func(health)) {
	if !rest(ctx, seconds(p.probe.DelaySeconds, 0)) {
		return
	}
	threshold := int(p.probe.FailureThreshold)
	if threshold <= 0 {
		threshold = probeThreshold
	}
	failures, since := 0, time.Time{}
	for {
		err := p.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failures = 0
			say(health{ready: true})
		default:
			if failures++; failures == 1 {
				since = time.Now()
			}
			if failures >= threshold {
				say(health{failed: since, why: err.Error()})
			}
		}
		if !rest(ctx, seconds(p.probe.PeriodSeconds, probePeriod)) {
			return
		}
	}
}

func (p *prober) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, seconds(p.probe.TimeoutSeconds, probeTimeout))
	defer cancel()
	switch {
	case len(p.probe.Command) > 0:
		return p.run(ctx)
	case p.probe.HTTP != "":
		return p.get(ctx)
	default:
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p.probe.TCP))))
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// run runs the probe's command in the environment of the instance.
func (p *prober) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.probe.Command[0], p.probe.Command[1:]...)
	cmd.Env = shim.Environment(p.order)
	cmd.Dir = p.order.Template.Dir
	var said bytes.Buffer
	cmd.Stderr = &bounded{to: &said, left: 200}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("no answer within %s", seconds(p.probe.TimeoutSeconds, probeTimeout))
	}
	return fmt.Errorf("%s: %w %s", p.probe.Command[0], err, strings.TrimSpace(said.String()))
}

// bounded keeps the first bytes of what is written.
type bounded struct {
	to   *bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.to.Write(p[:n])
	b.left -= n
	return len(p), nil
}

// get asks for "PORT/PATH" on the loopback. A redirect is an answer, not followed.
func (p *prober) get(ctx context.Context) error {
	port, path, _ := strings.Cut(p.probe.HTTP, "/")
	in, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/"+path, nil)
	if err != nil {
		return err
	}
	answer, err := p.http.Do(in)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode < 200 || answer.StatusCode > 399 {
		return fmt.Errorf("http 127.0.0.1:%s answered %s", p.probe.HTTP, answer.Status)
	}
	return nil
}

// newProbeClient keeps no connections: an instance that ended must not be asked over
// an old one.
func newProbeClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: nil},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// hostname is this machine's name.
func hostname() (string, error) {
	name, err := os.Hostname()
	return strings.ToLower(name), candor.Wrap("host name", err)
}
