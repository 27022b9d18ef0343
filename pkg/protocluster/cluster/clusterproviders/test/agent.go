package test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test/memstore"
)

// InMemAgent keeps the members of any number of clusters, by name, in the memory
// of one process. A member that does not refresh its entry in time is dropped.
// Its methods may be called concurrently.
type InMemAgent struct {
	store *memstore.Store // for strict nodes

	mu       sync.Mutex
	clusters map[string][]entry // in the order in which they registered
	cut      map[string]bool    // IDs of members that do not reach the agent
	changed  chan struct{}      // closed at the next change of clusters or cut
}

type entry struct {
	member  cluster.Member
	expires time.Time
}

var errUnreachable = errors.New("test: the agent cannot be reached")

// NewInMemAgent returns an agent that knows nobody.
func NewInMemAgent() *InMemAgent {
	return &InMemAgent{store: memstore.New(), clusters: make(map[string][]entry), cut: make(map[string]bool), changed: make(chan struct{})}
}

// Store is the view store of strict nodes. It knows a node by the ID under which
// it joined first.
func (a *InMemAgent) Store() *memstore.Store { return a.store }

// first is the ID under which the node joined first that is a member by that ID;
// one that was evicted puts a number behind it.
func first(memberID string) string {
	id, _, _ := strings.Cut(memberID, "~")
	return id
}

// Cut keeps the member from reaching the agent, as a crash, a pause or a broken
// link does: its entry expires, and it learns of no change.
func (a *InMemAgent) Cut(memberID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut[memberID] = true
	a.store.Stall(first(memberID))
}

// Restore undoes Cut: the member registers again if its entry has expired.
func (a *InMemAgent) Restore(memberID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.cut, memberID)
	a.store.Heal(first(memberID))
	a.notify()
}

// news is what a node learns of its cluster.
type news struct {
	members []cluster.Member
	next    time.Time       // when the next of them expires
	changed <-chan struct{} // closed when they change
}

// exchange registers or refreshes self for ttl, or nobody for 0, and returns the
// members of the cluster.
func (a *InMemAgent) exchange(name string, self cluster.Member, ttl time.Duration) (news, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cut[self.ID] {
		return news{changed: a.changed}, errUnreachable
	}
	a.expire(name)
	if ttl > 0 {
		a.register(name, self, time.Now().Add(ttl))
	}
	n := news{changed: a.changed}
	for _, e := range a.clusters[name] {
		n.members = append(n.members, e.member)
		if n.next.IsZero() || e.expires.Before(n.next) {
			n.next = e.expires
		}
	}
	return n, nil
}

func (a *InMemAgent) register(name string, self cluster.Member, expires time.Time) {
	for i, e := range a.clusters[name] {
		if e.member.ID != self.ID {
			continue
		}
		a.clusters[name][i] = entry{self, expires}
		if e.member.Status != self.Status {
			a.notify()
		}
		return
	}
	a.clusters[name] = append(a.clusters[name], entry{self, expires})
	a.notify()
}

func (a *InMemAgent) withdraw(name, memberID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.cut[memberID] {
		a.drop(name, func(e entry) bool { return e.member.ID == memberID })
	}
}

func (a *InMemAgent) expire(name string) {
	now := time.Now()
	a.drop(name, func(e entry) bool { return !e.expires.After(now) })
}

func (a *InMemAgent) drop(name string, is func(entry) bool) {
	all := a.clusters[name]
	if a.clusters[name] = slices.DeleteFunc(all, is); len(a.clusters[name]) < len(all) {
		a.notify()
	}
}

func (a *InMemAgent) notify() {
	close(a.changed)
	a.changed = make(chan struct{})
}
