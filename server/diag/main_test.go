package diag

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fixed struct{ ready, closed atomic.Bool }

func (f *fixed) Permit(*http.Request) error {
	if f.closed.Load() {
		return candor.Errorf(candor.ReasonForbidden, "not you")
	}
	return nil
}

func (f *fixed) Ready() error {
	if f.ready.Load() {
		return nil
	}
	return candor.Errorf(candor.ReasonNotLeader, "no leader is known")
}

func (f *fixed) Collect(emit func(Metric)) {
	emit(Metric{Name: "admissions_total", Help: "Requests.", Counter: true, Value: 3, Labels: []string{"class", "WRITE", "reason", "ACCEPTED"}})
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestTheListenerTellsLifeReadinessAndMetricsApart(t *testing.T) {
	probe := &fixed{}
	l, err := Listen("127.0.0.1:0", nil, probe, hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	base := "http://" + l.Address()
	if code, _ := get(t, base+"/livez"); code != http.StatusOK {
		t.Errorf("livez: %d", code)
	}
	if code, body := get(t, base+"/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "no leader is known") {
		t.Errorf("readyz before: %d %q", code, body)
	}
	probe.ready.Store(true)
	if code, _ := get(t, base+"/readyz"); code != http.StatusOK {
		t.Errorf("readyz after: %d", code)
	}
	if _, body := get(t, base+"/metrics"); !strings.Contains(body, `candor_admissions_total{class="WRITE",reason="ACCEPTED"} 3`) {
		t.Error("the probe's metric is not served")
	}
	probe.closed.Store(true)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/cmdline"} {
		if code, body := get(t, base+path); code != http.StatusForbidden || !strings.Contains(body, "not you") {
			t.Errorf("%s of somebody who may not: %d %q", path, code, body)
		}
	}
	if code, _ := get(t, base+"/livez"); code != http.StatusOK {
		t.Errorf("livez is for everybody: %d", code)
	}
	if _, err := Listen(l.Address(), nil, probe, hclog.NewNullLogger()); candor.ReasonOf(err) != candor.ReasonAddressInUse {
		t.Errorf("port in use: %v", err)
	}
}
