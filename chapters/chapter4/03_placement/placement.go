// Package placement is exercise 4.3: who owns an identity, without asking
// anybody.
package placement

import (
	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Owner returns the member that hosts id: of those that are up and host its
// kind, the one whose address has the highest score for it. Of equal scores the
// greater ID wins. If there is none, the error is a *cluster.NoHostError with
// all members.
//
// Whoever has the same members gets the same owner, in whatever order they are,
// and in every process. When a member leaves, only what it owned moves; when one
// joins, it only takes.
func Owner(id cluster.Identity, members []cluster.Member) (cluster.Member, error) {
	return cluster.Member{}, todo.Error("4.3")
}

// Mix has each bit of z change half of the bits of the result, which FNV does not:
// the finaliser of SplitMix64; Steele, Lea & Flood, OOPSLA 2014.
func Mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
