package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page, its style and its script
	"encoding/base64"
	"html/template"
	"io"

	"github.com/candor-plane/candor"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string

	pageTemplate = template.Must(template.New("page").Parse(pageText))
)

// policy forbids everything but the page's own style and script: whatever gets into
// the page, it loads nothing, sends nothing and runs nothing.
func policy() string {
	return "default-src 'none'; style-src '" + digest(pageStyle) + "'; script-src '" + digest(pageScript) + "'; base-uri 'none'; form-action 'none'"
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// WriteHTML writes the account as one page that needs nothing else. It is the same
// for the same account.
func WriteHTML(w io.Writer, r *Report) error {
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, newPage(r)); err != nil {
		return candor.Wrap("draw report", err)
	}
	_, err := w.Write(append(bytes.TrimSpace(out.Bytes()), '\n'))
	return candor.Wrap("draw report", err)
}
