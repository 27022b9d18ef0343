package memstore

import (
	"context"
	"errors"
	"slices"
	"time"
)

// fault is what stands between a node and the store.
type fault struct {
	stalled bool
	failing int           // calls that will fail without having happened
	losing  int           // writes that will happen and fail
	delay   time.Duration // of each call
	lag     time.Duration // of each Wait
}

var (
	errFailed = errors.New("the view store failed and did nothing, as the test told it")
	errLost   = errors.New("the view store's answer got lost, as the test told it")
	errGone   = errors.New("the node has crashed, as the test told it")
)

// Stall lets nothing pass between the nodes and the store until Heal. What they
// send meanwhile is held, and happens at Heal even if nobody waits for it any
// more. Who has announced itself is forgotten in time. If no node is named,
// here and below, it is the store: the fault holds for all nodes, those to come
// included.
func (s *Store) Stall(nodes ...string) {
	s.afflict(nodes, func(f *fault) { f.stalled = true })
}

// FailNext has the next calls of the nodes, but for Wait, fail and not happen.
func (s *Store) FailNext(calls int, nodes ...string) {
	s.afflict(nodes, func(f *fault) { f.failing = calls })
}

// LoseNext has the next writes of the nodes happen and fail, so that their
// outcome is unknown.
func (s *Store) LoseNext(writes int, nodes ...string) {
	s.afflict(nodes, func(f *fault) { f.losing = writes })
}

// Delay has each call of the nodes take that long, half of it before it happens.
func (s *Store) Delay(d time.Duration, nodes ...string) {
	s.afflict(nodes, func(f *fault) { f.delay = d })
}

// Lag has the nodes' waits notice a change that much later, as they do on a
// server that is behind.
func (s *Store) Lag(d time.Duration, nodes ...string) {
	s.afflict(nodes, func(f *fault) { f.lag = d })
}

// Crash ends the processes of the nodes: their calls fail, and who has announced
// itself is forgotten in time. What is opened later under these names works.
func (s *Store) Crash(nodes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.nodes {
		if len(nodes) == 0 || slices.Contains(nodes, n.name) {
			n.crashed = true
			for _, c := range n.held {
				c.answer(errGone)
			}
			n.held = nil
		}
	}
	s.settle()
	s.notify()
}

// Heal takes all faults from the nodes; if none is named, from the store and
// from all nodes.
func (s *Store) Heal(nodes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(nodes) == 0 {
		clear(s.faults)
	}
	for _, name := range nodes {
		delete(s.faults, name)
	}
	s.settle()
	s.notify()
}

func (s *Store) afflict(nodes []string, how func(f *fault)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(nodes) == 0 {
		nodes = []string{""}
	}
	for _, name := range nodes {
		how(s.fault(name))
	}
	s.settle()
	s.notify()
}

func (s *Store) fault(name string) *fault {
	f := s.faults[name]
	if f == nil {
		f = new(fault)
		s.faults[name] = f
	}
	return f
}

// settle lets the faults, as they are now, take effect on every node.
func (s *Store) settle() {
	for _, n := range slices.Clone(s.nodes) {
		if n.stalled() || n.crashed || n.ended {
			n.fade()
		} else {
			n.revive()
		}
		if n.stalled() {
			continue
		}
		held := n.held
		n.held = nil
		for _, c := range held {
			n.arrive(c)
		}
	}
}

// faults are those that hold for n.
func (n *node) faults() [2]*fault {
	return [2]*fault{n.store.fault(""), n.store.fault(n.name)}
}

func (n *node) stalled() bool {
	f := n.faults()
	return f[0].stalled || f[1].stalled
}

func (n *node) delay() time.Duration {
	f := n.faults()
	return f[0].delay + f[1].delay
}

func (n *node) lag() time.Duration {
	f := n.faults()
	return f[0].lag + f[1].lag
}

// fails reports whether this call is one that FailNext meant.
func (n *node) fails() bool {
	for _, f := range n.faults() {
		if f.failing > 0 {
			f.failing--
			return true
		}
	}
	return false
}

// loses reports whether this write is one that LoseNext meant.
func (n *node) loses() bool {
	for _, f := range n.faults() {
		if f.losing > 0 {
			f.losing--
			return true
		}
	}
	return false
}

// pause waits for d, or returns ctx's error.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
