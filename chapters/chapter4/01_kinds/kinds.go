// Package kinds is exercise 4.1: what a member promises to host.
package kinds

import (
	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Registry is what one member promises to host. Its methods may be called
// concurrently.
type Registry struct {
	// Your fields.
}

// New returns the registry of a member that promises nothing yet.
func New() *Registry {
	return &Registry{}
}

// Register adds a promise. It refuses a kind without a name, one whose name has
// a slash, which separates kind and identity, and one that is there already:
// the first one stays.
func (r *Registry) Register(k cluster.Kind) error {
	return todo.Error("4.1")
}

// Lookup returns the kind of that name; false if it was not registered.
func (r *Registry) Lookup(name string) (cluster.Kind, bool) {
	return cluster.Kind{}, false
}

// Kinds returns the names of all kinds, sorted. The slice is the caller's.
func (r *Registry) Kinds() []string {
	return nil
}

// Hosts returns those members that are up and promise to host the kind, in the
// order in which they are given. It does not change members.
func Hosts(members []cluster.Member, kind string) []cluster.Member {
	return nil
}
