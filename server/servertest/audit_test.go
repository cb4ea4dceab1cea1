package servertest_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/servertest"
)

// TestWhatWasDoneAndWhatWasDeniedIsRecorded with who asked, what for, and what
// became of it, and no secret.
func TestWhatWasDoneAndWhatWasDeniedIsRecorded(t *testing.T) {
	data := t.TempDir()
	var secret string
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithServers(1), servertest.WithData(data))
		k := openAccess(t, c)
		ana, b := k.token("ana", "viewer")
		secret = b.Secret
		_, err := k.root.Create(t.Context(), accessObject("Namespace", "made", `{}`))
		noError(t, err)
		_, err = ana.Create(t.Context(), accessObject("Namespace", "denied", `{}`))
		wantReason(t, err, candor.ReasonForbidden)
		_, _, err = k.with("").Get(t.Context(), refOf("made"))
		wantReason(t, err, candor.ReasonUnauthenticated)
		_, _, err = ana.Get(t.Context(), refOf("made"))
		noError(t, err)
	})
	file, err := os.Open(filepath.Join(data, "n1", "audit", "audit.log"))
	noError(t, err)
	defer func() { _ = file.Close() }()
	found := map[string]map[string]any{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r map[string]any
		noError(t, json.Unmarshal(lines.Bytes(), &r))
		found[r["actor"].(string)+" "+r["verb"].(string)+" "+r["verdict"].(string)] = r
		if strings.Contains(lines.Text(), secret) {
			t.Errorf("a secret is in the log: %s", lines.Text())
		}
	}
	for _, want := range []string{"root create ALLOWED", "ana create DENIED"} {
		if found[want] == nil {
			t.Errorf("%s is not recorded; what is: %v", want, found)
		}
	}
	if r := found["root create ALLOWED"]; r != nil && (r["name"] != "made" || r["rootToken"] == nil || r["requestId"] == nil || r["authenticatedBy"] != "token") {
		t.Errorf("%v", r)
	}
	if found["ana get ALLOWED"] != nil {
		t.Error("a read is recorded at the level of writes")
	}
	denied := 0
	for _, r := range found {
		if r["verdict"] == "DENIED" && r["reason"] == "UNAUTHENTICATED" {
			denied++
		}
	}
	if denied != 1 {
		t.Errorf("who was not known: %d records in %v", denied, found)
	}
}
