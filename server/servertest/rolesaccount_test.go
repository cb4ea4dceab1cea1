package servertest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"testing"

	"github.com/candor-plane/candor"
)

// account is the audit log of one server, read on from where it was left.
type account struct {
	t    *testing.T
	path string
	read int64
}

// denial is a line of it, as far as the test looks at it.
type denial struct {
	Actor, AuthenticatedBy, Method string
	Reason                         candor.Reason
}

// news are the denials that were not read yet.
func (a *account) news() (out []denial) {
	a.t.Helper()
	file, err := os.Open(a.path)
	noError(a.t, err)
	defer func() { _ = file.Close() }()
	_, err = file.Seek(a.read, io.SeekStart)
	noError(a.t, err)
	text, err := io.ReadAll(file)
	noError(a.t, err)
	for line := range bytes.Lines(text) {
		var r struct {
			denial
			Verdict string
		}
		if line[len(line)-1] != '\n' {
			break // it is on its way
		}
		a.read += int64(len(line))
		noError(a.t, json.Unmarshal(line, &r))
		if r.Verdict == "DENIED" {
			out = append(out, r.denial)
		}
	}
	return out
}
