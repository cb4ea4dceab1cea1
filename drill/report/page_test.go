package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/candor-plane/candor/drill/report"
)

// node is an element of a page, which is well-formed enough to be read as XML.
type node struct {
	name     string
	attrs    map[string]string
	text     string
	children []*node
}

func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, c := range n.children {
		c.walk(visit)
	}
}

func (n *node) all(name string) (found []*node) {
	n.walk(func(c *node) {
		if c.name == name {
			found = append(found, c)
		}
	})
	return found
}

func draw(t *testing.T, r *report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteHTML(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// inner cuts the one element of the name out of the page: style and script are not XML.
func inner(t *testing.T, page, name string) (rest, text string) {
	t.Helper()
	before, after, opened := strings.Cut(page, "<"+name+">")
	text, after, closed := strings.Cut(after, "</"+name+">")
	if !opened || !closed {
		t.Fatalf("there is no %s", name)
	}
	return before + after, text
}

func parse(t *testing.T, page string) *node {
	t.Helper()
	page, _ = inner(t, page, "style")
	page, _ = inner(t, page, "script")
	decoder := xml.NewDecoder(strings.NewReader(page))
	root := &node{}
	open := []*node{root}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return root
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		top := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				n.attrs[a.Name.Local] = a.Value
			}
			top.children = append(top.children, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.text += string(token)
		}
	}
}

func pages() map[string]*report.Report {
	all := handMade()
	all["big"], all["nothing"] = big(), &report.Report{}
	return all
}

// TestAPageNeedsNothingElse: no address leaves it, and its policy allows its own style
// and script alone.
func TestAPageNeedsNothingElse(t *testing.T) {
	allowed := strings.Fields("html head meta title body svg defs pattern rect path circle text header main footer section nav p h1 h2 h3 ul li a dl div dt dd pre code output table caption thead tbody tr th td span strong details summary")
	numbers := regexp.MustCompile(`NaN|Inf`)
	for name, r := range pages() {
		page := draw(t, r)
		parse(t, page).walk(func(n *node) {
			if n.name != "" && !slices.Contains(allowed, n.name) {
				t.Errorf("%s: an element %s", name, n.name)
			}
			for key, value := range n.attrs {
				switch {
				case key == "href" && !strings.HasPrefix(value, "#") && !strings.HasPrefix(value, "./"):
					t.Errorf("%s: a link to %s", name, value)
				case strings.HasPrefix(key, "on"), slices.Contains([]string{"style", "src", "srcset", "action", "background", "data", "poster"}, key):
					t.Errorf("%s: %s has %s=%s", name, n.name, key, value)
				case n.name == "path" && key == "d", n.name == "rect", n.name == "text" && key != "class":
					if numbers.MatchString(value) {
						t.Errorf("%s: %s has %s=%s", name, n.name, key, value)
					}
				}
			}
		})
		_, style := inner(t, page, "style")
		_, script := inner(t, page, "script")
		for _, address := range regexp.MustCompile(`url\([^#]|@import|https?:|[^:]//[a-z]`).FindAllString(style, -1) {
			t.Errorf("%s: the style names %s", name, address)
		}
		policy := ""
		for _, meta := range parse(t, page).all("meta") {
			if meta.attrs["http-equiv"] == "Content-Security-Policy" {
				policy = meta.attrs["content"]
			}
		}
		want := fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(style), hash(script))
		if policy != want {
			t.Errorf("%s: policy %s, want %s", name, policy, want)
		}
	}
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// TestHostileTextIsShown: as text, everywhere, and never as anything else.
func TestHostileTextIsShown(t *testing.T) {
	shown := 0
	parse(t, draw(t, inconclusive())).walk(func(n *node) {
		if strings.Contains(n.text, `"><script>alert(1)</script><img src=x`) {
			shown++
		}
		for _, text := range append([]string{n.text}, n.attrs["aria-label"]) {
			if strings.ContainsAny(text, "\x1b\x00\u202e") {
				t.Errorf("%s: %q", n.name, text)
			}
		}
	})
	if shown < 15 {
		t.Errorf("it is shown %d times: is it told at all?", shown)
	}
}

// TestEveryIntervalIsDrawn: each state, era and gap is a bar that says what it is.
func TestEveryIntervalIsDrawn(t *testing.T) {
	for name, r := range pages() {
		want := 0
		for _, lane := range r.Lanes.Nodes {
			want += len(lane.Intervals)
		}
		for _, lane := range r.Lanes.Duties {
			want += len(lane.Eras)
		}
		for _, g := range r.Gaps {
			want += len(g.Gaps)
		}
		bars, bands := 0, 0
		for _, rect := range parse(t, draw(t, r)).all("rect") {
			told := len(rect.all("title")) == 1
			if strings.HasPrefix(rect.attrs["class"], "bar ") && told {
				bars++
			}
			if strings.HasPrefix(rect.attrs["class"], "chip") && told {
				bands++
			}
			if width, err := strconv.ParseFloat(rect.attrs["width"], 64); err != nil || width <= 0 {
				t.Errorf("%s: %v is not to be seen", name, rect.attrs)
			}
		}
		if bars != want || bands != len(r.Faults) {
			t.Errorf("%s: %d bars and %d faults, want %d and %d", name, bars, bands, want, len(r.Faults))
		}
	}
}

// TestAPageCanBeHeard: headings in order, tables with heads and captions, pictures with
// words, names that are unique and links that lead somewhere.
func TestAPageCanBeHeard(t *testing.T) {
	for name, r := range pages() {
		root := parse(t, draw(t, r))
		ids := map[string]int{}
		level := 0
		root.walk(func(n *node) {
			if id, named := n.attrs["id"]; named {
				ids[id]++
			}
			if len(n.name) == 2 && n.name[0] == 'h' && n.name[1] >= '1' && n.name[1] <= '6' {
				now := int(n.name[1] - '0')
				if now > level+1 {
					t.Errorf("%s: %s %q below h%d", name, n.name, n.text, level)
				}
				level = now
			}
			switch n.name {
			case "table":
				if len(n.all("caption")) != 1 || len(n.all("th")) == 0 {
					t.Errorf("%s: a table without caption or head", name)
				}
			case "th":
				if n.attrs["scope"] == "" {
					t.Errorf("%s: head %q of nothing", name, n.text)
				}
			case "svg":
				if n.attrs["aria-hidden"] != "true" && (n.attrs["role"] != "img" || n.attrs["aria-label"] == "") {
					t.Errorf("%s: a picture without words: %v", name, n.attrs)
				}
			}
		})
		if n := len(root.all("h1")); n != 1 {
			t.Errorf("%s: %d titles", name, n)
		}
		for id, n := range ids {
			if n != 1 {
				t.Errorf("%s: %d elements are called %s", name, n, id)
			}
		}
		for _, a := range root.all("a") {
			if to, inside := strings.CutPrefix(a.attrs["href"], "#"); inside && ids[to] == 0 {
				t.Errorf("%s: a link to #%s leads nowhere", name, to)
			}
		}
	}
}

func TestABigAccountIsASmallFile(t *testing.T) {
	if n := len(draw(t, big())); n >= 600<<10 {
		t.Errorf("%d bytes, want less than %d", n, 600<<10)
	}
}
