// Package kinds is exercise 4.1: what a member promises to host.
package kinds

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Registry is what one member promises to host. Its methods may be called
// concurrently.
type Registry struct {
	mu    sync.Mutex
	kinds map[string]cluster.Kind // by name; guarded by mu
	names []string                // sorted; guarded by mu
}

// New returns the registry of a member that promises nothing yet.
func New() *Registry {
	return &Registry{kinds: make(map[string]cluster.Kind)}
}

// Register adds a promise. It refuses a kind without a name, one whose name has
// a slash, which separates kind and identity, and one that is there already:
// the first one stays.
func (r *Registry) Register(k cluster.Kind) error {
	switch {
	case k.Name == "":
		return errors.New("kinds: a kind has no name")
	case strings.Contains(k.Name, "/"):
		return fmt.Errorf("kinds: kind %q has a slash, which separates kind and identity", k.Name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.kinds[k.Name]; taken {
		return fmt.Errorf("kinds: kind %q is registered already", k.Name)
	}
	r.kinds[k.Name] = k
	r.names = append(r.names, k.Name)
	slices.Sort(r.names)
	return nil
}

// Lookup returns the kind of that name; false if it was not registered.
func (r *Registry) Lookup(name string) (cluster.Kind, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.kinds[name]
	return k, ok
}

// Kinds returns the names of all kinds, sorted. The slice is the caller's.
func (r *Registry) Kinds() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names
}

// Hosts returns those members that are up and promise to host the kind, in the
// order in which they are given. It does not change members.
func Hosts(members []cluster.Member, kind string) []cluster.Member {
	var hosts []cluster.Member
	for _, m := range members {
		if m.Status == cluster.Up && slices.Contains(m.Kinds, kind) {
			hosts = append(hosts, m)
		}
	}
	return hosts
}
