package cluster

import (
	"cmp"
	"maps"
	"slices"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// Status says where a member stands between its start and its end.
type Status uint8

// The statuses in the order in which a member passes them.
const (
	Joining Status = iota // announced, hosts nothing yet
	Up                    // hosts the identities that placement gives it
	Leaving               // hosts nothing new, hands over what it has
	Down                  // gone for good; a restart is a new member
)

func (s Status) String() string {
	return [...]string{"joining", "up", "leaving", "down"}[min(s, Down)]
}

// Member is one node that belongs to the cluster. Its ID is new at each start,
// so a restarted node is another member at the same address.
type Member struct {
	ID      string
	Address string // where its remote listens, host:port
	Kinds   []string
	Status  Status
	Weight  float64 // its share of identities, in proportion to others'; 0 means 1
}

// Hosts reports whether the member can host actors of kind.
func (m Member) Hosts(kind string) bool { return slices.Contains(m.Kinds, kind) }

// View is an immutable snapshot of the membership as one node knows it. Epoch
// grows with each change. Members are sorted by ID; they and their kinds must
// not be modified.
type View struct {
	Epoch   uint64
	Members []Member

	stamp sealedview.Stamp // of a sealed view; else zero
}

// MemberJoined is the event of a member that became Up.
type MemberJoined struct {
	Member Member
	Epoch  uint64
}

// MemberLeft is the event of a member that had joined and is gone for good; its
// status is Down.
type MemberLeft struct {
	Member Member
	Epoch  uint64
}

// Member returns the member with that id.
func (v *View) Member(id string) (Member, bool) {
	i, ok := slices.BinarySearchFunc(v.Members, id, func(m Member, id string) int { return cmp.Compare(m.ID, id) })
	if !ok {
		return Member{}, false
	}
	return v.Members[i], true
}

// At returns the member whose address that is.
func (v *View) At(address string) (Member, bool) {
	i := slices.IndexFunc(v.Members, func(m Member) bool { return m.Address == address })
	if i < 0 {
		return Member{}, false
	}
	return v.Members[i], true
}

// Hosts returns the members that are up and can host kind.
func (v *View) Hosts(kind string) []Member {
	var hosts []Member
	for _, m := range v.Members {
		if m.Status == Up && m.Hosts(kind) {
			hosts = append(hosts, m)
		}
	}
	return hosts
}

// next returns the view that a report makes of v on the node self: v if that
// changes nothing. An address has one member, the one reported last, for a
// restarted node may appear before its former self has gone.
func (v *View) next(report []Member, self Member) *View {
	known, byAddress := make(map[string]Member), make(map[string]string)
	for _, m := range slices.Backward(report) {
		_, twice := known[m.ID]
		_, taken := byAddress[m.Address]
		foreign := m.Address == self.Address && m.ID != self.ID
		if m.Status != Down && !twice && !taken && !foreign {
			known[m.ID], byAddress[m.Address] = m, m.ID
		}
	}
	members := slices.SortedFunc(maps.Values(known), byID)
	if slices.EqualFunc(members, v.Members, Member.equal) {
		return v
	}
	return &View{Epoch: v.Epoch + 1, Members: members}
}

func byID(a, b Member) int { return cmp.Compare(a.ID, b.ID) }

func (m Member) equal(o Member) bool {
	return m.ID == o.ID && m.Address == o.Address && m.Status == o.Status && m.Weight == o.Weight && slices.Equal(m.Kinds, o.Kinds)
}
