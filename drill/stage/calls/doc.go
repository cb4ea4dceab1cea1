// Package calls has system calls of a child wait until this process says what
// becomes of them: that they pass, that they fail, or nothing for a while.
//
// It guarantees that no call of the given numbers is made by the child, from its
// first instruction on, that was not asked about, and that calls go on as if
// nothing had been when this process closes its end only after the child is gone.
// It refuses, with reason UNIMPLEMENTED and the kernel's word, where the kernel has
// no user notification of seccomp or does not let this process use it. A process
// has one such watch: the kernel refuses a second one.
//
// Package stage uses it to hold disks, and a network without rights to lead
// connections.
package calls
