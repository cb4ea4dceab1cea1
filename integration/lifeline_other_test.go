//go:build !linux

package integration

import "syscall"

// lifeline is none here: a test that is killed leaves its servers.
func lifeline() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// playRole plays none: what needs one needs Linux.
func playRole() (code int, played bool) { return 0, false }
