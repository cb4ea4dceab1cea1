package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// secretKey is a gossip key. However it is printed only its fingerprint shows.
type secretKey struct {
	fingerprint string
	reveal      func() string
}

func newSecretKey(text string) (secretKey, error) {
	fingerprint, err := client.GossipFingerprint(text)
	return secretKey{fingerprint, func() string { return text }}, err
}

// readGossipKey reads the one key of a file, or of stdin where path is empty or -.
func (f *Factory) readGossipKey(path string) (secretKey, error) {
	if path == "" || path == "-" {
		content, err := io.ReadAll(io.LimitReader(f.In, maxKeyFile))
		if err != nil {
			return secretKey{}, candor.Wrap("stdin", err)
		}
		return oneKey("stdin", content)
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return secretKey{}, &candor.Error{Reason: candor.ReasonNotFound, Subject: path, Message: "there is no key file " + path, Err: err}
	}
	if err != nil {
		return secretKey{}, candor.Wrap("key file "+path, err)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		fmt.Fprintf(f.Err, "key file %s can be read by others (mode %04o): chmod 600 %[1]s\n", output.Clean(path), info.Mode().Perm())
	}
	return oneKey("key file "+path, content)
}

// maxKeyFile bounds what is read of stdin.
const maxKeyFile = 64 << 10

func oneKey(source string, content []byte) (secretKey, error) {
	var keys []string
	for line := range bytes.Lines(content) {
		if text := strings.TrimSpace(string(line)); text != "" && !strings.HasPrefix(text, "#") {
			keys = append(keys, text)
		}
	}
	if len(keys) != 1 {
		return secretKey{}, candor.Errorf(candor.ReasonInvalid, "%s holds %d keys, want one, in base64 on a line of its own", source, len(keys))
	}
	key, err := newSecretKey(keys[0])
	return key, candor.Wrap(source, err)
}

// keptGossipKey is the key of a file, or where there is no such file a new one,
// which is in it before anybody else knows it.
func (f *Factory) keptGossipKey(path string) (key secretKey, drawn bool, err error) {
	if path != "" {
		key, err = f.readGossipKey(path)
		if candor.ReasonOf(err) != candor.ReasonNotFound {
			return key, false, err
		}
	}
	if key, err = newSecretKey(client.NewGossipKey()); err != nil || path == "" {
		return key, true, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return key, true, candor.Wrap("key file "+path, err)
	}
	_, err = file.WriteString(key.reveal() + "\n")
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return key, true, candor.Wrap("key file "+path, errors.Join(err, os.Remove(path)))
	}
	return key, true, nil
}
