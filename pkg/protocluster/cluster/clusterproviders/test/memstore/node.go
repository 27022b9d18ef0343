package memstore

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

const (
	longestWait = 45 * time.Second // how long a Wait waits at most
	retryPause  = 100 * time.Millisecond
)

// provider is a Store as one node reaches it.
type provider struct {
	store *Store
	name  string
}

// Run implements cluster.Provider.
func (p provider) Run(ctx context.Context, node cluster.Node) error {
	store, err := p.OpenStore(node)
	if err != nil {
		return err
	}
	return cluster.Keep(ctx, node, store)
}

// OpenStore implements cluster.ViewStore.
func (p provider) OpenStore(self cluster.Node) (cluster.Store, error) {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	n := &node{store: p.store, name: p.name, cluster: self.ClusterName()}
	p.store.nodes = append(p.store.nodes, n)
	return n, nil
}

// node is a node's cluster.Store. The store's mutex guards it.
type node struct {
	store         *Store
	name, cluster string

	id      string // of what it announces; "" is nothing
	data    []byte
	expiry  *time.Timer // while nothing is heard of it
	held    []*call
	crashed bool
	ended   bool // Close was called
}

// call is something on its way to the store.
type call struct {
	apply func() error // what the store does, under its mutex
	write bool
	reply chan error // takes one
}

func (c *call) answer(err error) { c.reply <- err }

// Read implements cluster.Store.
func (n *node) Read(ctx context.Context) (cluster.Record, error) {
	var r cluster.Record // the store may write to it after ctx has ended
	err := n.call(ctx, "read", false, func() error {
		r = n.folder().record()
		return nil
	})
	if err != nil {
		return cluster.Record{}, err
	}
	return r, nil
}

// Write implements cluster.Store.
func (n *node) Write(ctx context.Context, data []byte, version uint64) (uint64, error) {
	var now uint64
	data = append([]byte{}, data...)
	err := n.call(ctx, "write", true, func() error {
		f := n.folder()
		if f.version != version {
			return cluster.ErrConflict
		}
		n.store.put(f, data)
		now = f.version
		return nil
	})
	if err != nil {
		return 0, err
	}
	return now, nil
}

// Announce implements cluster.Store.
func (n *node) Announce(ctx context.Context, id string, data []byte) error {
	data = append([]byte{}, data...)
	return n.call(ctx, "announce", false, func() error {
		n.withdraw()
		n.id, n.data = id, data
		n.revive()
		return nil
	})
}

// Withdraw implements cluster.Store.
func (n *node) Withdraw(ctx context.Context) error {
	return n.call(ctx, "withdraw", false, func() error {
		n.withdraw()
		return nil
	})
}

// Show implements cluster.Store.
func (n *node) Show(ctx context.Context, m cluster.Member) error {
	return n.call(ctx, "show", false, func() error {
		n.folder().shown[n] = m
		return nil
	})
}

// Close implements cluster.Store.
func (n *node) Close(ctx context.Context) error {
	n.store.mu.Lock()
	n.ended = true
	n.store.settle()
	n.store.mu.Unlock()
	return n.call(ctx, "close", false, func() error {
		n.withdraw()
		delete(n.folder().shown, n)
		n.store.nodes = slices.DeleteFunc(n.store.nodes, func(o *node) bool { return o == n })
		return nil
	})
}

// Wait implements cluster.Store.
func (n *node) Wait(ctx context.Context, since cluster.Record) error {
	enough := time.NewTimer(longestWait)
	defer enough.Stop()
	for over := false; ; {
		n.store.mu.Lock()
		stalled, crashed, lag, changed := n.stalled(), n.crashed, n.lag(), n.store.changed
		differs := n.folder().revision != since.Revision
		n.store.mu.Unlock()
		switch {
		case crashed:
			return n.failed("wait", errors.Join(errGone, pause(ctx, retryPause)))
		case !stalled && (over || differs):
			return n.failed("wait", pause(ctx, lag))
		}
		select {
		case <-changed:
		case <-enough.C:
			over = true
		case <-ctx.Done():
			return n.failed("wait", ctx.Err())
		}
	}
}

// call sends to the store what apply does there, and waits for the answer.
func (n *node) call(ctx context.Context, doing string, write bool, apply func() error) error {
	if err := ctx.Err(); err != nil {
		return n.failed(doing, err)
	}
	c := &call{apply: apply, write: write, reply: make(chan error, 1)}
	n.send(c)
	select {
	case err := <-c.reply:
		return n.failed(doing, err)
	case <-ctx.Done():
		return n.failed(doing, ctx.Err())
	}
}

func (n *node) send(c *call) {
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	if n.crashed {
		c.answer(errGone)
		return
	}
	n.later(n.delay()/2, func() { n.arrive(c) })
}

// arrive has the store do c, or fail to; or holds c.
func (n *node) arrive(c *call) {
	switch {
	case n.crashed:
		c.answer(errGone)
		return
	case n.stalled():
		n.held = append(n.held, c)
		return
	}
	err := errFailed
	if !n.fails() {
		err = c.apply()
		if c.write && n.loses() {
			err = errLost
		}
	}
	n.later(n.delay()-n.delay()/2, func() { c.answer(err) })
}

// later calls f under the mutex, after d or at once.
func (n *node) later(d time.Duration, f func()) {
	if d <= 0 {
		f()
		return
	}
	time.AfterFunc(d, func() {
		n.store.mu.Lock()
		defer n.store.mu.Unlock()
		f()
	})
}

func (n *node) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("memstore: %s the view store from %q: %w", doing, n.name, err)
}

func (n *node) folder() *folder { return n.store.folder(n.cluster) }

// withdraw takes the announcement back.
func (n *node) withdraw() {
	if notice := n.folder().notices[n.id]; notice != nil && notice.by == n {
		delete(n.folder().notices, n.id)
		n.store.touch(n.folder())
	}
	n.id = ""
}

// revive puts the announcement where it belongs, and back if it was forgotten.
func (n *node) revive() {
	if n.expiry != nil {
		n.expiry.Stop()
		n.expiry = nil
	}
	if n.id == "" {
		return
	}
	if f := n.folder(); f.notices[n.id] == nil || f.notices[n.id].by != n {
		f.notices[n.id] = &notice{by: n, data: n.data}
		n.store.touch(f)
	}
}

// fade has the announcement forgotten in time: once to twice the TTL, which the
// id decides.
func (n *node) fade() {
	if n.id == "" || n.expiry != nil {
		return
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(n.id))
	var timer *time.Timer
	timer = time.AfterFunc(ttl+time.Duration(h.Sum64()%uint64(ttl)), func() {
		n.store.mu.Lock()
		defer n.store.mu.Unlock()
		if n.expiry != timer {
			return
		}
		if notice := n.folder().notices[n.id]; notice != nil && notice.by == n {
			delete(n.folder().notices, n.id)
			n.store.touch(n.folder())
		}
	})
	n.expiry = timer
}
