package sealedview

import (
	"slices"
	"time"
)

// StoreGrantor is the name under which the store itself is a grantor: a
// consistent read that shows a view is its grant to whoever read it.
const StoreGrantor = "$store"

// councilSize bounds the members that grant leases.
const councilSize = 5

// Mode says who grants leases.
type Mode string

// The modes.
const (
	// Council: the oldest members; with two members the store is the third
	// voter.
	Council Mode = "council"
	// Store: the store alone. It has to be up for anybody to serve.
	Store Mode = "store"
)

// State is where a member stands in its own view.
type State string

// The states.
const (
	Active  State = "up"
	Leaving State = "leaving" // owns nothing any more, still a member
)

// Member is one member of a view. It is never modified.
type Member struct {
	ID      string   `json:"id"` // new at each start
	Address string   `json:"address"`
	Kinds   []string `json:"kinds,omitempty"`
	Strict  []string `json:"strict,omitempty"` // of Kinds: kept to one activation
	Weight  float64  `json:"weight,omitempty"` // 0 means 1
	State   State    `json:"state"`
	Was     Past     `json:"was,omitzero"` // of one that wants to join
}

// Clash returns a kind that two members host and only one of them strictly: then
// it is kept by neither. There may be none.
func (m *Member) Clash(o *Member) (kind string, clash bool) {
	i := slices.IndexFunc(m.Kinds, func(kind string) bool {
		return slices.Contains(o.Kinds, kind) && slices.Contains(m.Strict, kind) != slices.Contains(o.Strict, kind)
	})
	if i < 0 {
		return "", false
	}
	return m.Kinds[i], true
}

// Past is what a process was as another member, before it was evicted. That
// member's part is over for good; which may be all that others wait to hear.
type Past struct {
	ID   string `json:"id"`
	View Stamp  `json:"view"` // that it went by
}

// Stamp names a view. Epochs tell which of two is newer; two views can have the
// same epoch if the store went back to an older record, but never the same seal.
type Stamp struct {
	Epoch uint64 `json:"epoch"`
	Seal  string `json:"seal"` // the nonce of the write that made the view
}

// View is the record in the store: who the members are in one epoch, and what
// the protocol has to know of the epoch before. It is never modified.
type View struct {
	Cluster string `json:"cluster"` // the cluster's id, made at bootstrap
	Stamp
	Nonce    string   `json:"nonce"`    // of the last write: tells its author that it happened
	Revision uint64   `json:"revision"` // counts the writes
	Mode     Mode     `json:"mode"`
	Members  []Member `json:"members"`            // oldest first
	Before   Stamp    `json:"before,omitzero"`    // the view before; zero for the first
	Previous []string `json:"previous,omitempty"` // the grantors of the view before, unless that can serve nobody
	Excluded []string `json:"excluded,omitempty"` // get no grant from the store any more
	Override string   `json:"override,omitempty"` // the nonce of the intent that stands, if one does
	Forced   bool     `json:"forced,omitempty"`   // made by an override: all views before are void
}

// Member returns the member with that id.
func (v *View) Member(id string) (*Member, bool) {
	i := v.index(id)
	if i < 0 {
		return nil, false
	}
	return &v.Members[i], true
}

// Has reports whether id is a member.
func (v *View) Has(id string) bool { return v.index(id) >= 0 }

func (v *View) index(id string) int {
	for i := range v.Members {
		if v.Members[i].ID == id {
			return i
		}
	}
	return -1
}

// Council are the oldest members: they watch over the others and change the
// view.
func (v *View) Council() []string {
	ids := make([]string, 0, councilSize+1)
	for i := range v.Members[:min(len(v.Members), councilSize)] {
		ids = append(ids, v.Members[i].ID)
	}
	return ids
}

// Grantors are the voters of the view's leases: its oldest members, an odd
// number of them.
func (v *View) Grantors() []string {
	if v.Mode == Store {
		return []string{StoreGrantor}
	}
	ids := v.Council()
	switch {
	case len(ids) == 2:
		return append(ids, StoreGrantor)
	case len(ids)%2 == 0 && len(ids) > 0:
		return ids[:len(ids)-1]
	}
	return ids
}

// Quorum is how many of n voters are a majority.
func Quorum(n int) int { return n/2 + 1 }

// follows reports whether a node that has installed u may go on to v. A view
// that was not made of u or of a later one is a fork: the store has lost u. That
// a grantor refuses it keeps two forks from both being sealed.
func (v *View) follows(u *View) bool {
	return v.Epoch > u.Epoch && (v.Forced || v.Before.Epoch >= u.Epoch)
}

// succeeds reports whether a store that has shown u can show v without having
// lost anything.
func (v *View) succeeds(u *View) bool {
	if v.Stamp != u.Stamp {
		return v.Cluster == u.Cluster && v.follows(u)
	}
	return v.Nonce == u.Nonce || v.Revision > u.Revision
}

// next returns the view after v, with members and by the write named nonce. The
// epoch is at least unixMillis, so that fencing tokens go on growing after the
// store was restored from a backup.
func (v *View) next(members []Member, nonce string, unixMillis uint64) *View {
	return &View{
		Cluster: v.Cluster, Stamp: Stamp{max(v.Epoch+1, unixMillis), nonce}, Nonce: nonce, Revision: v.Revision + 1, Mode: v.Mode,
		Members: members, Before: v.Stamp, Previous: v.Grantors(),
	}
}

// amended returns v in the same epoch, by another write.
func (v *View) amended(nonce string, change func(*View)) *View {
	w := *v
	w.Nonce, w.Revision = nonce, v.Revision+1
	change(&w)
	return &w
}

// without returns the members of v but those that are listed.
func (v *View) without(ids ...string) []Member {
	return slices.DeleteFunc(slices.Clone(v.Members), func(m Member) bool { return slices.Contains(ids, m.ID) })
}

// Before and after every instant.
const (
	never   = time.Duration(-1 << 61)
	maxTime = time.Duration(1 << 61)
)
