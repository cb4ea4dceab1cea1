//go:build !linux

package disk

// SyncCalls are none here.
func SyncCalls() []uint32 { return nil }
