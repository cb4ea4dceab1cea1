//go:build !linux

package process

import "syscall"

// Lifeline is none here: a process that is killed leaves its children.
func Lifeline() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// Stopped cannot be told here: it takes the word of whoever sent the signal.
func (r *Run) Stopped() bool { return !r.Gone() }
