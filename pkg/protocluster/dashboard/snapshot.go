package dashboard

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard/internal/journal"
)

// snapshot is all that a page shows at one moment. It is never modified.
type snapshot struct {
	At         time.Time    `json:"at"`
	Cluster    string       `json:"cluster"`
	Epoch      uint64       `json:"epoch,string"` // of the view of the page's own node
	Self       string       `json:"self"`         // its address
	Client     bool         `json:"client"`
	Members    []memberInfo `json:"members"`
	Identities uint64       `json:"identities"` // activations that live on members that answer
	Each       uint64       `json:"each"`       // how many identities a dot stands for
	Twice      int          `json:"twice"`      // dots that are on two members
	Names      bool         `json:"names"`      // dots have names

	state   []byte // the above as JSON
	samples map[string]*sample
	level   int
	events  []event
	points  []point
	changes []change
	links   []*link
}

// memberInfo is what a page shows of a member.
type memberInfo struct {
	Address string `json:"address"`
	Name    string `json:"name"`
	ID      string `json:"id"`
	Status  string `json:"status"` // as in the view; "out": not in it
	Colour  int    `json:"colour"` // its number, by which it has a colour and a shape
	Heard   bool   `json:"heard"`  // it has answered ever
	Answers bool   `json:"answers"`
	Silent  int64  `json:"silent"`            // milliseconds since it answered
	Trouble string `json:"trouble,omitempty"` // why it does not

	Epoch      uint64            `json:"epoch,string"` // of the view that it goes by itself
	Leases     bool              `json:"leases"`       // there are leases in this cluster
	Leased     bool              `json:"leased"`
	Lease      int64             `json:"lease"` // milliseconds
	Identities uint64            `json:"identities"`
	Kinds      map[string]uint64 `json:"kinds"`
	Rate       float64           `json:"rate"` // messages per second
	Lapses     uint64            `json:"lapses"`
	Evictions  uint64            `json:"evictions"`
	Violations uint64            `json:"violations"`
	StoreOut   int64             `json:"storeOut"` // milliseconds for which it has not reached the store
	Sample     uint64            `json:"sample"`   // changes with what the dots are
}

// encode fills in what handlers send.
func (s *snapshot) encode() {
	s.state, _ = json.Marshal(s) // numbers that are finite, and texts
}

// dots is a member's sample as browsers get it: the hashes in as many bits as their
// numbers hold exactly.
type dots struct {
	Address string   `json:"address"`
	Version uint64   `json:"version"`
	IDs     []uint64 `json:"ids"`
	Names   []string `json:"names,omitempty"`
}

const exactBits = 53

func (s *snapshot) dots(address string, version uint64) dots {
	d := dots{Address: address, Version: version, IDs: []uint64{}}
	from := s.samples[address]
	if from == nil {
		return d
	}
	for i, hash := range from.hashes {
		if journal.Level(hash) < s.level {
			continue
		}
		d.IDs = append(d.IDs, hash>>(64-exactBits))
		if from.names != nil {
			d.Names = append(d.Names, from.names[i])
		}
	}
	return d
}

// member returns what is known of the member at an address.
func (s *snapshot) member(address string) (memberInfo, bool) {
	for _, m := range s.Members {
		if m.Address == address {
			return m, true
		}
	}
	return memberInfo{}, false
}

// name is what people call the member at an address.
func (s *snapshot) name(address string) string {
	if m, ok := s.member(address); ok {
		return m.Name
	}
	return address
}

// about is one member as the page's node and the member itself see it.
func about(address string, in cluster.Member, s said, now time.Time) memberInfo {
	m := memberInfo{Address: address, Name: address, ID: in.ID, Status: "out", Heard: s.reply != nil}
	if in.ID != "" {
		m.Status = in.Status.String()
	}
	if s.err != nil {
		m.Trouble = shorten(s.err.Error())
	}
	if s.reply == nil {
		return m
	}
	r := s.reply
	m.Answers, m.Silent = answers(s, now), now.Sub(s.answered).Milliseconds()
	if r.GetName() != "" {
		m.Name = shorten(r.GetName())
	}
	if in.ID == "" {
		m.ID = r.GetMember()
	}
	m.Epoch, m.Leases, m.Leased = r.GetEpoch(), leases(s), r.GetLeased() && m.Answers
	m.Lease = time.Duration(r.GetLease()).Milliseconds()
	m.Identities, m.Kinds = r.GetActivations(), r.GetKinds()
	m.Lapses, m.Evictions, m.Violations = r.GetLapses(), r.GetEvictions(), r.GetViolations()
	m.StoreOut = time.Duration(r.GetStoreOut()).Milliseconds()
	return m
}

// answers reports whether a node answers at present.
func answers(s said, now time.Time) bool {
	return s.reply != nil && status.Code(s.err) != codes.Unavailable && now.Sub(s.waited) < silence
}

// leases reports whether a node goes by leases.
func leases(s said) bool { return s.reply.GetStoreAge() != 0 || s.reply.GetLeased() }

// acts reports whether what a node hosts may act at present.
func acts(s said, now time.Time) bool {
	return answers(s, now) && (s.reply.GetStrict() == 0 || s.reply.GetLeased())
}

// short is an epoch as people can tell it from others: epochs that begin at the
// time of day have thirteen digits, of which the last ones differ.
func short(epoch uint64) string {
	const most = 6
	s := strconv.FormatUint(epoch, 10)
	if len(s) <= most {
		return s
	}
	return "…" + strings.TrimPrefix(s, s[:len(s)-most])
}
