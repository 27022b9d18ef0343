package model

import "math/bits"

// Nodes is the most nodes that a model has. Their numbers are also their age:
// of two members the lower number is the older one.
const Nodes = 4

// Store is the number of the view store, as a grantor.
const Store = Nodes

const grantors = Nodes + 1

// Set is a set of nodes, and of the store.
type Set uint8

func setOf(i int) Set { return 1 << i }

// firstNodes is the set of the n nodes with the lowest numbers.
func firstNodes(n int) Set { return 1<<n - 1 }

// Has reports whether i is in the set.
func (s Set) Has(i int) bool { return s>>i&1 == 1 }

// Len is how many are in the set.
func (s Set) Len() int { return bits.OnesCount8(uint8(s)) }

// last is the highest number in a set that is not empty.
func (s Set) last() int { return bits.Len8(uint8(s)) - 1 }

// list is the numbers in the set.
func (s Set) list() []int {
	var numbers []int
	for i := range grantors {
		if s.Has(i) {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

// View is who belongs to the cluster in one epoch, and who of them is leaving.
type View uint8

func viewOf(members, leaving Set) View { return View(members | leaving<<Nodes) }

// Members are all members, those that are leaving too.
func (v View) Members() Set { return Set(v) & (1<<Nodes - 1) }

// Leaving are the members that own nothing any more.
func (v View) Leaving() Set { return Set(v >> Nodes) }

// Active are the members that identities may be placed on.
func (v View) Active() Set { return v.Members() &^ v.Leaving() }
