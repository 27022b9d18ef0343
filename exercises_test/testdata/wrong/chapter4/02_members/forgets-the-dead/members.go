// Package members is exercise 4.2: a view of the members, made of what is heard
// of them, in whatever order.
package members

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

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
	known map[string]Event // the newest of each node, by its ID
}

// Apply takes an event in and returns the changes that it makes. A life of a
// node joins when it is first known to be Up, or Leaving, which it was Up
// before; it leaves when it is known to be over. Each joins and leaves once at
// most, and none leaves that did not join. An event that says nothing new
// changes nothing. One without an ID, or with a status that does not exist, is
// an error.
func (v *View) Apply(e Event) ([]Change, error) {
	if e.ID == "" || e.Status > cluster.Down {
		return nil, fmt.Errorf("members: an event of node %q says status %d", e.ID, e.Status)
	}
	old, known := v.known[e.ID]
	if known && !newer(e, old) {
		return nil, nil
	}
	if v.known == nil {
		v.known = make(map[string]Event)
	}
	v.known[e.ID] = e
	if e.Status == cluster.Down {
		delete(v.known, e.ID)
	}
	var changes []Change
	stays := joined(old) && joined(e) && e.Incarnation == old.Incarnation
	if joined(old) && !stays {
		changes = append(changes, Change{Member: old.Member, Incarnation: old.Incarnation, Left: true})
	}
	if joined(e) && !stays {
		changes = append(changes, Change{Member: e.Member, Incarnation: e.Incarnation})
	}
	return changes, nil
}

// Members returns those that are not down, sorted by ID. The slice is the
// caller's.
func (v *View) Members() []cluster.Member {
	var members []cluster.Member
	for _, id := range slices.Sorted(maps.Keys(v.known)) {
		if m := v.known[id].Member; m.Status != cluster.Down {
			members = append(members, m)
		}
	}
	return members
}

// newer reports whether a says more than b of the same node: a later life, or
// more of the same life, which only goes forward.
func newer(a, b Event) bool {
	return cmp.Or(cmp.Compare(a.Incarnation, b.Incarnation), cmp.Compare(a.Status, b.Status)) > 0
}

// joined reports whether watchers count this life in. A node that leaves is
// still there.
func joined(e Event) bool { return e.Status == cluster.Up || e.Status == cluster.Leaving }
