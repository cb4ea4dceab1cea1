package bundle_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/bundle"
	"github.com/candor-plane/candor/verify/replay"
)

// held is a source of made-up entries.
type held struct {
	origin replay.Origin
	broken uint64
}

func (h *held) Origin() replay.Origin { return h.origin }

func (h *held) Entries(_ context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return func(yield func(replay.Entry, error) bool) {
		for i := from; i <= to; i++ {
			if i == h.broken {
				yield(replay.Entry{}, candor.Errorf(candor.ReasonUnavailable, "the stream ended"))
				return
			}
			if !yield(replay.Entry{Index: i, Term: 2, Type: replay.Command, Data: fmt.Appendf(nil, "entry %d \x00\xff", i)}, nil) {
				return
			}
		}
	}
}

func (h *held) Snapshot(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("a snapshot")), nil
}

func source() *held {
	return &held{origin: replay.Origin{
		Name: "n1 (somewhere)", ClusterID: "c-1", NodeID: "s1", First: 3, Last: 44, Committed: 40,
		Snapshots: []replay.Snapshot{{ID: "snap-9", Index: 9, Term: 2, Bytes: 10}, {ID: "snap-5", Index: 5, Term: 1}},
	}}
}

func made(t *testing.T, h *held, most int64) (path string, last uint64, failed error) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "b.zip")
	w, err := bundle.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddJSON("nodes/n1/status.json", "status", map[string]int{"term": 2}); err != nil {
		t.Fatal(err)
	}
	if err := w.AddDigests("n1", []replay.Point{{Index: 12, Digest: replay.Digest{1, 2}, By: "node n1"}}); err != nil {
		t.Fatal(err)
	}
	if err := w.AddSnapshot(t.Context(), "n1", h, "snap-9"); err != nil {
		t.Fatal(err)
	}
	last, _, failed = w.AddLog(t.Context(), "n1", h, 10, 40, most)
	_, err = w.Close(bundle.Manifest{
		Made: time.Unix(1_700_000_000, 0).UTC(), ClusterID: "c-1", WithData: true,
		Nodes: []bundle.Node{{Name: "n1", Answered: true}, {Name: "n2", Failure: "it is down"}},
		Gaps:  []bundle.Gap{{Node: "n2", What: "everything", Reason: candor.ReasonUnavailable, Why: "it is down"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return path, last, failed
}

func opened(t *testing.T, path string) *bundle.Reader {
	t.Helper()
	r, err := bundle.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestWhatGoesIntoABundleComesOut(t *testing.T) {
	h := source()
	path, last, err := made(t, h, 1<<20)
	if err != nil || last != 40 {
		t.Fatalf("the log ends at %d, %v", last, err)
	}
	r := opened(t, path)
	if err := r.Verify(); err != nil {
		t.Fatal(err)
	}
	m := r.Manifest()
	if len(m.Parts) != 5 || len(m.Gaps) != 1 || m.Nodes[1].Answered {
		t.Errorf("the manifest: %+v", m)
	}
	logs, err := r.Logs()
	if err != nil || len(logs) != 1 {
		t.Fatal(logs, err)
	}
	want := replay.Origin{
		Name: path + "@n1", ClusterID: "c-1", NodeID: "s1", First: 10, Last: 40, Committed: 40, Snapshots: h.origin.Snapshots[:1],
		Points: []replay.Point{{Index: 12, Digest: replay.Digest{1, 2}, By: "node n1"}},
	}
	if diff := cmp.Diff(want, logs[0].Origin()); diff != "" {
		t.Errorf("origin (-want +got):\n%s", diff)
	}
	next := uint64(20)
	for e, err := range logs[0].Entries(t.Context(), 20, 30) {
		if err != nil || e.Index != next || string(e.Data) != fmt.Sprintf("entry %d \x00\xff", next) || e.Term != 2 {
			t.Fatalf("entry %d: %+v, %v", next, e, err)
		}
		next++
	}
	if next != 31 {
		t.Errorf("entries end before %d", next)
	}
	s, err := logs[0].Snapshot(t.Context(), "snap-9")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(s); err != nil || string(data) != "a snapshot" {
		t.Errorf("the snapshot: %q, %v", data, err)
	}
}

func TestABoundedLogEndsWithAWholeEntryAndSaysSo(t *testing.T) {
	path, last, err := made(t, source(), 500)
	if err == nil || last < 11 || last >= 40 {
		t.Fatalf("the log ends at %d, %v", last, err)
	}
	r := opened(t, path)
	logs, err := r.Logs()
	if err != nil || logs[0].Origin().Last != last || logs[0].Origin().Committed != last {
		t.Fatalf("%+v, %v", logs[0].Origin(), err)
	}
	count := uint64(0)
	for _, err := range logs[0].Entries(t.Context(), 10, last) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != last-9 {
		t.Errorf("it holds %d entries, want %d", count, last-9)
	}
	for _, p := range r.Manifest().Parts {
		if strings.HasSuffix(p.Path, "log.jsonl") != (p.Incomplete != "") {
			t.Errorf("%s: incomplete %q", p.Path, p.Incomplete)
		}
	}
}

func TestALogThatBreaksOffKeepsWhatCame(t *testing.T) {
	h := source()
	h.broken = 25
	path, last, err := made(t, h, 1<<20)
	if candor.ReasonOf(err) != candor.ReasonUnavailable || last != 24 {
		t.Fatalf("the log ends at %d, %v", last, err)
	}
	logs, err := opened(t, path).Logs()
	if err != nil || logs[0].Origin().Last != 24 {
		t.Errorf("%+v, %v", logs[0].Origin(), err)
	}
}

func TestWhatIsNotWhatWasWrittenIsRefused(t *testing.T) {
	path, _, _ := made(t, source(), 1<<20)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		data []byte
		want candor.Reason
	}{
		"cut":             {whole[:len(whole)/2], candor.ReasonDataCorrupt},
		"no archive":      {[]byte("hello"), candor.ReasonDataCorrupt},
		"another archive": {archive(t, map[string]string{"x": "y"}), candor.ReasonDataCorrupt},
		"another format":  {archive(t, map[string]string{bundle.ManifestName: `{"format":"candor-bundle/2"}`}), candor.ReasonFeatureLevel},
		"no manifest":     {archive(t, map[string]string{bundle.ManifestName: `{`}), candor.ReasonDataCorrupt},
	}
	for name, c := range cases {
		file := filepath.Join(t.TempDir(), "x.zip")
		if err := os.WriteFile(file, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := bundle.Open(file); candor.ReasonOf(err) != c.want {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	other := archive(t, map[string]string{
		"a.txt": "other", bundle.ManifestName: `{"format":"candor-bundle/1","parts":[{"path":"a.txt","bytes":5,"sha256":"00"},{"path":"gone"}]}`,
	})
	file := filepath.Join(t.TempDir(), "x.zip")
	if err := os.WriteFile(file, other, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := opened(t, file).Verify(); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
		t.Errorf("a part that was exchanged: %v", err)
	}
}

func TestABundleIsThereWholeOrNotAtAll(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "b.zip")
	w, err := bundle.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add("x", "x", func(io.Writer) error { return errors.New("no") }); err == nil {
		t.Error("an error of the part is lost")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it is there before it is whole")
	}
	if err := w.Abandon(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Create(path); candor.ReasonOf(err) != candor.ReasonAlreadyExists {
		t.Errorf("over another file: %v", err)
	}
}

func TestANodesNameStaysInItsFolder(t *testing.T) {
	for name, want := range map[string]string{"n1": "nodes/n1/", "../../x": "nodes/______x/", "": "nodes/_/", "127.0.0.1:7": "nodes/127_0_0_1_7/"} {
		if got := bundle.Folder(name); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range files {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
