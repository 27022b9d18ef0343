// Package faultnet is a remote.Network whose traffic can be cut, for processes
// that may not touch the machine's own network: it takes no privileges.
//
// Promised: while a direction is cut not a byte goes that way, on connections old
// and new, nor the end of one; dials wait, because a handshake takes both
// directions. After Heal all that was held goes on, in order, as if it had been
// sent again and again. To the node it looks like a network that loses packets in
// silence.
//
// The faults are at the end that dials, which knows whom by its address. So a
// link between two nodes that dial each other is cut at both. Not promised: that
// an end which closes a connection is not noticed through a cut at the other end,
// nor that what the machine holds already, and the reading end did not take yet,
// is stopped at the writing end's own.
//
// The package starts no goroutine.
//
// Read network.go, then conn.go; deadline.go is what net.Conn asks for.
package faultnet
