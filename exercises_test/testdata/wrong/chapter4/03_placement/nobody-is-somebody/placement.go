// Package placement is exercise 4.3: who owns an identity, without asking
// anybody.
package placement

import (
	"hash/fnv"

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
	var owner cluster.Member
	var best uint64
	for _, m := range members {
		if m.Status != cluster.Up || !m.Hosts(id.Kind) {
			continue
		}
		s := score(m.Address, id)
		if owner.ID == "" || s > best || s == best && m.ID > owner.ID {
			owner, best = m, s
		}
	}
	return owner, nil
}

// score is how much the member at address wants id. Rendezvous hashing; Thaler
// & Ravishankar, IEEE/ACM ToN 6(1), 1998.
func score(address string, id cluster.Identity) uint64 {
	h := fnv.New64a()
	for _, part := range []string{address, id.Kind, id.Identity} {
		h.Write([]byte(part))
		h.Write([]byte{between})
	}
	return Mix(h.Sum64())
}

// between is a byte that is never in UTF-8: ("ab", "c") is not ("a", "bc").
const between = 0xff

// Mix has each bit of z change half of the bits of the result, which FNV does not:
// the finaliser of SplitMix64; Steele, Lea & Flood, OOPSLA 2014.
func Mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
