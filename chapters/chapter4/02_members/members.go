// Package members is exercise 4.2: a view of the members, made of what is heard
// of them, in whatever order.
package members

import (
	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Event is what somebody says of a node: how far it is in one of its lives.
// Events come late, in any order, and more than once.
type Event struct {
	cluster.Member        // its ID names the node, whatever address it has
	Incarnation    uint64 // which start of the node; a later one has a greater number
}

// Change is what a watcher of the view has to know.
type Change struct {
	Member      cluster.Member // as it was known last
	Incarnation uint64
	Left        bool // for good, or else it joined
}

// View is what one member knows of all. The zero View knows nobody. It is for
// one goroutine.
type View struct {
	// Your fields.
}

// Apply takes an event in and returns the changes that it makes. A life of a
// node joins when it is first known to be Up, or Leaving, which it was Up
// before; it leaves when it is known to be over. Each joins and leaves once at
// most, and none leaves that did not join. An event that says nothing new
// changes nothing. One without an ID, or with a status that does not exist, is
// an error.
func (v *View) Apply(e Event) ([]Change, error) {
	return nil, todo.Error("4.2")
}

// Members returns those that are not down, sorted by ID. The slice is the
// caller's.
func (v *View) Members() []cluster.Member {
	return nil
}
