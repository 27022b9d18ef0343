package rendezvous

import (
	"slices"
	"strings"
)

// Key is what is owned. Two keys are the same only if both parts are. A
// cluster.Identity converts to it.
type Key struct {
	Kind     string
	Identity string
}

// Table answers who owns a key among the members it was made of. The zero
// Table has no members.
type Table struct {
	members  []member // sorted by name
	weighted bool     // and their weights differ
}

type member struct {
	hash   uint64 // of the name
	index  int    // in the names that NewTable got
	weight uint64 // if NewWeightedTable made the table
}

// NewTable returns the table of the members with those names. It keeps no
// reference to names.
func NewTable(names []string) Table {
	members := make([]member, len(names))
	for i, name := range names {
		members[i] = member{hash: nameHash(name), index: i}
	}
	slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(names[a.index], names[b.index]) })
	return Table{members: members}
}

// Owner returns the index, in the names that the table was made of, of the
// member that owns key, or -1 if there are no members. The owner is the member
// whose score for the key is highest, with regard to its weight if they differ;
// of equals the one whose name sorts first.
//
// Rendezvous hashing; Thaler & Ravishankar, IEEE/ACM ToN 6(1), 1998.
func (t Table) Owner(key Key) int {
	if t.weighted {
		return t.weightedOwner(key)
	}
	owner, best, hash := -1, uint64(0), keyHash(key)
	for _, m := range t.members {
		if s := score(m.hash, hash); s > best || owner < 0 {
			owner, best = m.index, s
		}
	}
	return owner
}
