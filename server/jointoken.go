package server

import (
	"net"
	"os"
	"strings"

	"github.com/candor-plane/candor"
)

// checkJoinToken refuses, before anything is done, a token that could not be sent.
func (c *Config) checkJoinToken() error {
	if c.JoinTokenFile == "" {
		return nil
	}
	if len(c.Join) == 0 {
		return candor.Errorf(candor.ReasonUsage, "server: --join-token-file is for a server that joins: give --join with it")
	}
	for _, address := range c.Join {
		if err := c.mayCarryToken(address); err != nil {
			return err
		}
	}
	return nil
}

// mayCarryToken refuses to send a secret where others may read it.
func (c *Config) mayCarryToken(address string) error {
	if c.TLS.CA != "" || c.Insecure || c.Seams.Dial != nil {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return candor.Errorf(candor.ReasonUsage, "server: the token of --join-token-file would go to %s in the clear, and whoever reads it on the way may join in this server's place: use certificates (--tls-ca, --tls-cert, --tls-key), or pass --insecure to accept that", address)
}

// openJoinToken reads the token of a server that has yet to join. A member needs it
// no more, and its file may be gone by then.
func (s *Server) openJoinToken() error {
	if s.config.JoinTokenFile == "" || len(s.replica.Configuration().Servers) > 0 {
		return nil
	}
	text, err := os.ReadFile(s.config.JoinTokenFile)
	if err != nil {
		return candor.Errorf(candor.ReasonUsage, "--join-token-file: %w", err)
	}
	if s.joinToken, err = candor.ParseBearer(strings.TrimSpace(string(text))); err != nil {
		return candor.Errorf(candor.ReasonUsage, "--join-token-file: %s holds no token: want candor_ACCESSOR_SECRET and nothing else", s.config.JoinTokenFile)
	}
	if info, err := os.Stat(s.config.JoinTokenFile); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		s.logger.Warn("the file of the join token can be read by others", "file", s.config.JoinTokenFile, "mode", info.Mode().Perm())
	}
	return nil
}
