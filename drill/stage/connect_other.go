//go:build !linux

package stage

func connectCalls() []uint32 { return nil }
