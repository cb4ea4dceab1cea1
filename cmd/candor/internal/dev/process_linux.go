package dev

import "syscall"

// childAttributes let the child die with its parent, whatever kills that, and
// keep the terminal's Ctrl-C for the parent.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
