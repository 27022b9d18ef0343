package testkit

import (
	"context"
	"errors"
	"slices"
	"time"
)

// storeFault is what stands between a node and the store.
type storeFault struct {
	stalled bool
	failing int           // calls that will fail without having happened
	losing  int           // writes that will happen and fail
	delay   time.Duration // of each call
	lag     time.Duration // of each Wait
}

var (
	errStoreFailed = errors.New("the view store failed and did nothing, as the test told it")
	errStoreLost   = errors.New("the view store's answer got lost, as the test told it")
	errStoreGone   = errors.New("the node has crashed, as the test told it")
)

// Stall lets nothing pass between the nodes and the store until Heal. What they
// send meanwhile is held, and happens at Heal even if nobody waits for it any
// more. Who has announced itself is forgotten in time. If no node is named,
// here and below, it is the store: the fault holds for all nodes, those to come
// included.
func (s *ViewStore) Stall(nodes ...string) {
	s.afflict(nodes, func(f *storeFault) { f.stalled = true })
}

// FailNext has the next calls of the nodes, but for Wait, fail and not happen.
func (s *ViewStore) FailNext(calls int, nodes ...string) {
	s.afflict(nodes, func(f *storeFault) { f.failing = calls })
}

// LoseNext has the next writes of the nodes happen and fail, so that their
// outcome is unknown.
func (s *ViewStore) LoseNext(writes int, nodes ...string) {
	s.afflict(nodes, func(f *storeFault) { f.losing = writes })
}

// Delay has each call of the nodes take that long, half of it before it happens.
func (s *ViewStore) Delay(d time.Duration, nodes ...string) {
	s.afflict(nodes, func(f *storeFault) { f.delay = d })
}

// Lag has the nodes' waits notice a change that much later, as they do on a
// server that is behind.
func (s *ViewStore) Lag(d time.Duration, nodes ...string) {
	s.afflict(nodes, func(f *storeFault) { f.lag = d })
}

// Crash ends the processes of the nodes: their calls fail, and who has announced
// itself is forgotten in time. What is opened later under these names works.
func (s *ViewStore) Crash(nodes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.nodes {
		if len(nodes) == 0 || slices.Contains(nodes, n.name) {
			n.crashed = true
			for _, c := range n.held {
				c.answer(errStoreGone)
			}
			n.held = nil
		}
	}
	s.settle()
	s.notify()
}

// Heal takes all faults from the nodes; if none is named, from the store and
// from all nodes.
func (s *ViewStore) Heal(nodes ...string) {
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

func (s *ViewStore) afflict(nodes []string, how func(f *storeFault)) {
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

func (s *ViewStore) fault(name string) *storeFault {
	f := s.faults[name]
	if f == nil {
		f = new(storeFault)
		s.faults[name] = f
	}
	return f
}

// settle lets the faults, as they are now, take effect on every node.
func (s *ViewStore) settle() {
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
func (n *storeNode) faults() [2]*storeFault {
	return [2]*storeFault{n.store.fault(""), n.store.fault(n.name)}
}

func (n *storeNode) stalled() bool {
	f := n.faults()
	return f[0].stalled || f[1].stalled
}

func (n *storeNode) delay() time.Duration {
	f := n.faults()
	return f[0].delay + f[1].delay
}

func (n *storeNode) lag() time.Duration {
	f := n.faults()
	return f[0].lag + f[1].lag
}

// fails reports whether this call is one that FailNext meant.
func (n *storeNode) fails() bool {
	for _, f := range n.faults() {
		if f.failing > 0 {
			f.failing--
			return true
		}
	}
	return false
}

// loses reports whether this write is one that LoseNext meant.
func (n *storeNode) loses() bool {
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
