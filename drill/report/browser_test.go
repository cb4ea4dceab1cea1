package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// browser is a Chromium of this machine. Where there is none its tests are skipped,
// unless CANDOR_BROWSER=required says that this must not be.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "NO BROWSER: reports are not looked at in this run; install chromium (Debian: apt-get install chromium)"
	if os.Getenv("CANDOR_BROWSER") == "required" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// browse runs the browser without a window and without a network, and returns what it
// printed and logged.
func browse(t *testing.T, flags ...string) (printed, logged string) {
	t.Helper()
	profile, err := os.MkdirTemp("", "candor-browser-") //nolint:usetesting // a browser's last child may still write when it has ended: that is no failure
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(profile) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser(t), append([]string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND", "--allow-file-access-from-files", "--enable-logging=stderr",
		"--user-data-dir=" + profile,
	}, flags...)...)
	cmd.WaitDelay = 5 * time.Second
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return out.String(), log.String()
}

// console is what pages wrote to the console: errors, and what their policy forbade.
func console(logged string) []string {
	return regexp.MustCompile(`(?m)^.*CONSOLE.*$`).FindAllString(logged, -1)
}

// measured is one page at one width.
type measured struct {
	Page       string   `json:"page"`
	Width      int      `json:"width"`
	Document   int      `json:"document"`
	Background string   `json:"background"`
	Outside    []string `json:"outside"`
	Hidden     []string `json:"hidden"`
	Bars       int      `json:"bars"`
	Labels     int      `json:"labels"`
	Loaded     []string `json:"loaded"`
	Button     bool     `json:"button"`
	Readout    string   `json:"readout"`
}

// harness opens pages in frames and prints what it measures there: how wide they are,
// what of them sticks out without a box that scrolls, what of the charts has no size,
// and what they tried to load.
const harness = `<!doctype html><meta charset="utf-8"><body><pre id="told"></pre><script>
var wanted = %s, told = [];
function look(frame, page, width) {
  var d = frame.contentDocument, w = frame.contentWindow, body = d.body;
  var m = {page: page, width: width, document: d.documentElement.scrollWidth, background: w.getComputedStyle(body).backgroundColor,
    outside: [], hidden: [], bars: 0, labels: 0, button: !!d.querySelector(".again button"), readout: "",
    loaded: w.performance.getEntriesByType("resource").map(function (e) { return e.name; })};
  d.querySelectorAll("body *:not(.defs):not(.defs *)").forEach(function (e) {
    var r = e.getBoundingClientRect();
    if (r.right > width + 0.5 && !e.closest(".scroll")) { m.outside.push(e.tagName + " " + e.className); }
  });
  d.querySelectorAll(".plot rect.bar, .labels text").forEach(function (e) {
    var r = e.getBoundingClientRect(), s = w.getComputedStyle(e);
    if (e.tagName === "rect") { m.bars++; } else { m.labels++; }
    var seen = s.fill !== "none" && s.visibility === "visible" && (r.width > 0 && r.height > 0 || e.textContent === "");
    if (!seen) { m.hidden.push(e.outerHTML); }
  });
  d.querySelectorAll(".chart").forEach(function (c) {
    var a = c.querySelector(".labels").getBoundingClientRect(), b = c.querySelector(".plot").getBoundingClientRect();
    if (Math.abs(a.height - b.height) > 1) { m.hidden.push("names and lanes of different heights: " + a.height + ", " + b.height); }
  });
  var plot = d.querySelector("svg.plot[data-end]"), box = plot.getBoundingClientRect();
  plot.dispatchEvent(new w.PointerEvent("pointermove", {bubbles: true, clientX: box.left + box.width / 2, clientY: box.top + box.height - 4}));
  m.readout = d.getElementById(plot.dataset.readout).textContent;
  return m;
}
var left = wanted.length;
wanted.forEach(function (x) {
  var frame = document.createElement("iframe");
  frame.width = x.width; frame.height = 900; frame.style.border = 0;
  frame.onload = function () {
    var m = {page: x.page, width: x.width};
    try { m = look(frame, x.page, x.width); } catch (e) { m.hidden = ["not measured: " + e]; }
    told.push(m);
    if (--left === 0) { document.getElementById("told").textContent = JSON.stringify(told); }
  };
  frame.src = x.page;
  document.body.appendChild(frame);
});
</script>`

type view struct {
	Page  string `json:"page"`
	Width int    `json:"width"`
}

func measure(t *testing.T, dir string, views []view, flags ...string) (found []measured, logged string) {
	t.Helper()
	wanted, err := json.Marshal(views)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "harness.html")
	if err := os.WriteFile(path, fmt.Appendf(nil, harness, wanted), 0o600); err != nil {
		t.Fatal(err)
	}
	printed, logged := browse(t, append(flags, "--virtual-time-budget=20000", "--dump-dom", "file://"+path)...)
	_, told, _ := strings.Cut(printed, `<pre id="told">`)
	told, _, _ = strings.Cut(told, "</pre>")
	if err := json.Unmarshal([]byte(html.UnescapeString(told)), &found); err != nil || len(found) != len(views) {
		t.Fatalf("%d of %d pages were measured: %v\n%s", len(found), len(views), err, logged)
	}
	return found, logged
}

func write(t *testing.T, dir, name, page string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestABrowserShowsEverythingAtEveryWidth: on a phone, a tablet and a screen nothing
// sticks out, every lane is seen, nothing is loaded, and no error is logged.
func TestABrowserShowsEverythingAtEveryWidth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var views []view
	bars := map[string]int{}
	all := pages()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		page := draw(t, all[name])
		write(t, dir, name+".html", page)
		bars[name+".html"] = strings.Count(page, `<rect class="bar `) - legendBars(page)
		widths := []int{360, 768, 1280}
		if name == "big" {
			widths = widths[:1]
		}
		for _, width := range widths {
			views = append(views, view{name + ".html", width})
		}
	}
	found, logged := measure(t, dir, views)
	for _, m := range found {
		if m.Document > m.Width || len(m.Outside) > 0 {
			t.Errorf("%s at %d px is %d px wide; outside: %v", m.Page, m.Width, m.Document, m.Outside)
		}
		if len(m.Hidden) > 0 || m.Bars != bars[m.Page] {
			t.Errorf("%s at %d px: %d bars, want %d; not to be seen: %v", m.Page, m.Width, m.Bars, bars[m.Page], m.Hidden)
		}
		if len(m.Loaded) > 0 {
			t.Errorf("%s loads %v", m.Page, m.Loaded)
		}
		if !strings.Contains(m.Readout, " s") {
			t.Errorf("%s at %d px: the script tells %q of the middle of the timeline", m.Page, m.Width, m.Readout)
		}
	}
	if errors := console(logged); len(errors) > 0 {
		t.Errorf("the console says:\n%s", strings.Join(errors, "\n"))
	}
}

// legendBars counts bars that explain the others.
func legendBars(page string) int {
	n := 0
	for _, legend := range regexp.MustCompile(`(?s)<ul class="legend".*?</ul>`).FindAllString(page, -1) {
		n += strings.Count(legend, `<rect class="bar `)
	}
	return n
}

// TestTheLookFindsWhatIsWrong: a page that is too wide, runs what its policy forbids
// and loads a picture. A check that nobody has seen fail is not trusted.
func TestTheLookFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	page := draw(t, passed())
	write(t, dir, "wide.html", strings.Replace(page, "<h1>", `<h1><svg width="2000" height="9"></svg>`, 1))
	write(t, dir, "runs.html", strings.Replace(page, "<h1>", `<h1><script>document.title = "mine"</script>`, 1))
	open := regexp.MustCompile(`<meta http-equiv[^>]*>`).ReplaceAllString(page, "")
	write(t, dir, "loads.html", strings.Replace(open, "<h1>", `<h1><img src="http://elsewhere.invalid/x.png" alt="">`, 1))
	found, logged := measure(t, dir, []view{{"wide.html", 360}, {"runs.html", 360}, {"loads.html", 360}})
	for _, m := range found {
		switch {
		case m.Page == "wide.html" && (m.Document <= m.Width || len(m.Outside) == 0):
			t.Errorf("a page of 2000 px is found to be %d px wide, outside: %v", m.Document, m.Outside)
		case m.Page == "loads.html" && len(m.Loaded) == 0:
			t.Error("a page that loads a picture is found to load nothing")
		}
	}
	if !strings.Contains(strings.Join(console(logged), "\n"), "Content Security Policy") {
		t.Errorf("a script that the policy forbids is not on the console:\n%s", logged)
	}
}

// TestDarkIsDark: where the reader wants it, and nothing is lost there.
func TestDarkIsDark(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "report.html", draw(t, violated()))
	found, logged := measure(t, dir, []view{{"report.html", 360}}, "--force-dark-mode", "--blink-settings=preferredColorScheme=0")
	if m := found[0]; m.Background != "rgb(15, 20, 25)" || len(m.Hidden) > 0 {
		t.Errorf("background %s; not to be seen: %v", m.Background, m.Hidden)
	}
	if errors := console(logged); len(errors) > 0 {
		t.Errorf("the console says:\n%s", strings.Join(errors, "\n"))
	}
}

// TestPaperHoldsAllOfIt: printing yields as many pages as it takes, the tables that are
// closed on a screen among them.
func TestPaperHoldsAllOfIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "report.html", draw(t, violated()))
	browse(t, "--no-pdf-header-footer", "--print-to-pdf="+filepath.Join(dir, "report.pdf"), "file://"+filepath.Join(dir, "report.html"))
	pdf, err := os.ReadFile(filepath.Join(dir, "report.pdf"))
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Fatalf("no PDF: %v", err)
	}
	if n := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)); n < 6 {
		t.Errorf("%d pages, want 6 or more", n)
	}
}
