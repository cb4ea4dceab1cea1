// Package doctor says what faults a drill can make on this machine, and removes
// what a drill that was killed left behind.
//
// It guarantees that a Check tries what it speaks of, or asks the kernel, and
// leaves nothing; that Clean ends only processes that carry the mark of a
// drill which is certainly dead, and removes only directories, with what is
// mounted below them, that such a drill made. It refuses to judge by a process
// number alone: numbers come again, so a mark tells the boot and the moment of the
// owner's start too, and a mark from another PID namespace is nobody's business.
//
// The command line calls it, package network for its proxies, and whoever begins
// a drill's processes for marks.
package doctor
