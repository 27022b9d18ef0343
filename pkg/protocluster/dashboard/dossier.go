package dashboard

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/dashboardpb"
)

const (
	mostDossiers = 64 // identities that were looked for
	mostStays    = 16 // of one
)

// stay is one activation of an identity on one member, as a page shows it.
type stay struct {
	Address string        `json:"address"`
	Name    string        `json:"name"`
	Colour  int           `json:"colour"`
	Lives   bool          `json:"lives"`           // as far as its member says
	Seen    bool          `json:"seen"`            // its member was asked just now
	Token   string        `json:"token,omitempty"` // that it writes under
	Epoch   uint64        `json:"epoch,string"`    // of its token or, without one, of its member's view when it began
	Began   time.Time     `json:"began"`
	Ended   time.Time     `json:"ended,omitzero"`
	End     string        `json:"end,omitempty"` // how
	Handled uint64        `json:"handled"`       // messages
	Last    []lastMessage `json:"last"`          // newest first
	Why     string        `json:"why"`           // it began here

	system string
	serial uint64
	left   bool // its member is out of the view, or was started anew
	lost   bool // and it lived when that was last asked
}

// lastMessage is a message without what it carried.
type lastMessage struct {
	Type    string    `json:"type"`
	At      time.Time `json:"at"`
	Took    float64   `json:"took"`    // milliseconds
	Outcome string    `json:"outcome"` // "handled", "asked" if its sender waited for a reply, "panicked"
}

// dossiers are what is known of the identities that people looked for, so that
// their history outlives the members that made it.
type dossiers struct {
	mu  sync.Mutex
	all []*dossier // the least recently used first
}

type dossier struct {
	id    cluster.Identity
	stays []stay // in no order
}

// add takes in what members said of an identity, and returns all that is known,
// newest first.
func (d *dossiers) add(id cluster.Identity, said []stay, now *snapshot) []stay {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.all, func(f *dossier) bool { return f.id == id })
	file := &dossier{id: id}
	if i >= 0 {
		file = d.all[i]
		d.all = slices.Delete(d.all, i, i+1)
	}
	d.all = append(d.all, file)
	if len(d.all) > mostDossiers {
		d.all = slices.Delete(d.all, 0, 1)
	}
	file.merge(said, now)
	stays := slices.Clone(file.stays)
	explain(stays, now)
	return stays
}

func (f *dossier) merge(said []stay, now *snapshot) {
	asked := make(map[string]string) // the system at an address that answered
	for i := range f.stays {
		f.stays[i].Seen = false
	}
	for _, s := range said {
		asked[s.Address] = s.system
		if s.serial == 0 {
			continue // there was nothing to say
		}
		i := slices.IndexFunc(f.stays, func(o stay) bool { return o.system == s.system && o.serial == s.serial })
		if i < 0 {
			f.stays = append(f.stays, s)
			continue
		}
		s.Began = f.stays[i].Began // an age is a little different each time
		f.stays[i] = s
	}
	for i := range f.stays {
		s := &f.stays[i]
		m, known := now.member(s.Address)
		system, answered := asked[s.Address]
		s.left = !known || m.Status == "out" || answered && system != s.system
		if s.Lives && answered && system != s.system {
			s.Lives, s.End = false, "ended with its process"
		}
	}
	slices.SortFunc(f.stays, func(a, b stay) int {
		return cmp.Or(cmp.Compare(b.Epoch, a.Epoch), b.Began.Compare(a.Began), cmp.Compare(b.serial, a.serial))
	})
	f.stays = f.stays[:min(len(f.stays), mostStays)]
}

// newStay is what a member said of one activation.
func newStay(m memberInfo, system string, a *dashboardpb.Activation, now time.Time) stay {
	ago := func(ns int64) time.Time { return now.Add(-time.Duration(ns)) }
	s := stay{
		Address: m.Address, Name: m.Name, Colour: m.Colour, Lives: !a.GetOver(), Seen: true, Epoch: cmp.Or(a.GetEpoch(), a.GetView()),
		Began: ago(a.GetAge()), Handled: a.GetHandled(), Last: []lastMessage{}, system: system, serial: a.GetSerial(),
	}
	if a.GetEpoch() > 0 {
		s.Token = token(a.GetEpoch(), a.GetCounter())
	}
	if a.GetOver() {
		s.Ended, s.End = ago(a.GetGone()), ends[a.GetEnd()]
	}
	for _, l := range a.GetLast() {
		outcome := "handled"
		switch {
		case l.GetPanicked():
			outcome = "panicked"
		case l.GetAsked():
			outcome = "asked"
		}
		took := milliseconds(time.Duration(l.GetTook()))
		s.Last = append(s.Last, lastMessage{Type: shorten(l.GetType()), At: ago(l.GetAge()), Took: took, Outcome: outcome})
	}
	return s
}

var ends = map[dashboardpb.End]string{ //nolint:gochecknoglobals // a table
	dashboardpb.End_STOPPED: "stopped",
	dashboardpb.End_DROPPED: "dropped without saving: its member had lost the right to it",
	dashboardpb.End_DRAINED: "handed over: its member was told to leave",
}
