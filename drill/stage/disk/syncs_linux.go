package disk

import "golang.org/x/sys/unix"

// SyncCalls are the numbers of the system calls that Syncs answers.
func SyncCalls() []uint32 { return []uint32{unix.SYS_FDATASYNC, unix.SYS_FSYNC} }
