// Package shim runs one command for a worker, in a process of its own that outlives
// the worker.
//
// It guarantees that a command is run once for each run that its Order counts: who
// runs it holds the directory's lock, which the kernel takes away with the process,
// and a run that has a Record is not begun again. How the command ended is on disk
// before the shim ends. Who attaches later finds the process by PID, start time and
// boot ID together, never by PID alone, and speaks to it by a pidfd, which no later
// process can take over.
//
// The shim leads a session of its own, and the command a process group below it. All
// that the command leaves behind is re-parented to the shim, which kills it before it
// records the end: an instance is over when none of its processes is left. A shim that
// is killed takes the command with it (PR_SET_PDEATHSIG); what the command started is
// then found by the instance's UID in its environment, and killed by the worker. A
// command that clears its parent-death signal and its environment escapes that, and
// so does one that runs as another user.
//
// It runs on Linux. Package worker starts and attaches to shims; cmd runs Main in
// the hidden command `candor worker-shim`.
package shim
