package faultnet

import (
	"context"
	"maps"
	"net"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// Direction is a way that bytes go.
type Direction uint8

// The directions, which may be added.
const (
	Out  Direction = 1 << iota // from this node
	In                         // to this node
	Both = Out | In
)

// Network is a node's network with faults. Make it with New. Its methods may be
// called concurrently, and but for Dial and Listen do not block.
type Network struct {
	under remote.Network

	mu      sync.Mutex
	cuts    map[string]Direction // by address; replaced whole
	changed chan struct{}        // closed when cuts changes
}

// New returns a network without faults, whose connections are those of under.
func New(under remote.Network) *Network {
	return &Network{under: under, changed: make(chan struct{})}
}

// Cut has nothing pass between this node and those that listen at the keys of
// cuts, in the directions they are given, and heals all other cuts.
func (n *Network) Cut(cuts map[string]Direction) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts = maps.Clone(cuts)
	close(n.changed)
	n.changed = make(chan struct{})
}

// Heal ends all cuts.
func (n *Network) Heal() { n.Cut(nil) }

// Listen implements remote.Network.
func (n *Network) Listen(ctx context.Context, address string) (net.Listener, error) {
	return n.under.Listen(ctx, address)
}

// Dial implements remote.Network.
func (n *Network) Dial(ctx context.Context, address string) (net.Conn, error) {
	if !n.pass(address, Both, ctx.Done(), nil) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
	under, err := n.under.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: under, network: n, address: address, closed: make(chan struct{})}, nil
}

// pass waits until no direction of d is cut; false if it was given up before.
func (n *Network) pass(address string, d Direction, closed, expired <-chan struct{}) bool {
	for {
		n.mu.Lock()
		cut, changed := n.cuts[address]&d != 0, n.changed
		n.mu.Unlock()
		if !cut {
			return true
		}
		select {
		case <-changed:
		case <-closed:
			return false
		case <-expired:
			return false
		}
	}
}
