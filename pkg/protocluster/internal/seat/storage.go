package seat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/latest"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// storage is a seat's use of its store. Each call has a goroutine of its own, so
// nothing has to wait for a slow one.
type storage struct {
	seat *Seat
	last *latest.Value[*Record] // that was read; nil before

	mu        sync.Mutex
	data      []byte           // of the record that was parsed last,
	view      *sealedview.View // and what it says
	garbled   error
	reads     outage
	writes    outage
	announces outage
	stats     Stats // its counters
}

// outage is a kind of call that fails.
type outage struct {
	what  string
	since time.Time // zero if it does not
}

func (u *storage) init(s *Seat) {
	u.seat, u.last = s, latest.New[*Record](nil)
	u.reads.what, u.writes.what, u.announces.what = "read", "written", "told that this node wants to join"
}

// bound is how long a read or a write may take. The protocol has no use for an
// answer that comes later.
func (u *storage) bound() time.Duration { return 2 * u.seat.config.Params.Lease }

// read carries out an order to read.
func (u *storage) read(ctx context.Context, o order) {
	e := sealedview.Read{Sent: o.at}
	ctx, cancel := context.WithTimeout(ctx, u.bound())
	defer cancel()
	r, err := u.seat.config.Store.Read(ctx)
	u.answered(&u.reads, err, func(s *Stats) { s.StoreReads++ })
	if err != nil {
		e.Err = err
		u.seat.answer(o, e)
		return
	}
	e.Version = r.Version
	if r.Version != 0 {
		e.View, e.Garbled = u.parse(r.Data)
	}
	e.Joiners = u.joiners(r.Joiners)
	if e.View != nil {
		u.seat.lines.know(e.View.Members...)
		u.seat.compare(e.View)
	}
	u.seat.lines.know(e.Joiners...)
	u.seat.answer(o, e)
	u.last.Store(&r)
}

// compare tells of a member that keeps a kind otherwise, before the node is one.
func (s *Seat) compare(v *sealedview.View) {
	if s.config.Clash == nil || s.place.Load().view != nil {
		return
	}
	for i := range v.Members {
		if kind, clash := s.config.Self.Clash(&v.Members[i]); clash {
			s.config.Clash(kind, &v.Members[i])
			return
		}
	}
}

// parse reads a record, unless it is the one that was parsed last: each view comes
// from the store and from several members.
func (u *storage) parse(record []byte) (*sealedview.View, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.data == nil || !bytes.Equal(u.data, record) {
		u.data = append([]byte{}, record...)
		u.view, u.garbled = sealedview.Parse(record)
	}
	return u.view, u.garbled
}

// joiners reads announcements. Anybody may have written them.
func (u *storage) joiners(announced [][]byte) []sealedview.Member {
	members := make([]sealedview.Member, 0, len(announced))
	seen := make(map[string]bool, len(announced))
	bad := 0
	for _, data := range announced {
		var m sealedview.Member
		if json.Unmarshal(data, &m) != nil || checkSender(m.ID, m.Address) != nil || seen[m.ID] || !admissible(m) {
			bad++
			continue
		}
		seen[m.ID] = true
		members = append(members, m)
	}
	u.mu.Lock()
	before := u.stats.BadJoiners
	u.stats.BadJoiners = bad
	u.mu.Unlock()
	if bad > before {
		u.seat.config.Logger.Warn("seat: the view store has announcements that cannot be read; somebody else writes there", "count", bad)
	}
	return members
}

// admissible reports whether a view may have that member.
func admissible(m sealedview.Member) bool {
	m.State = sealedview.Active
	v := sealedview.View{
		Cluster: "x", Stamp: sealedview.Stamp{Epoch: 1, Seal: "x"}, Nonce: "x", Mode: sealedview.Council, Members: []sealedview.Member{m},
	}
	return v.Check() == nil
}

// write carries out an order to write.
func (u *storage) write(ctx context.Context, o order, w sealedview.WriteStore) {
	e := sealedview.Wrote{Sent: o.at, Nonce: w.View.Nonce}
	ctx, cancel := context.WithTimeout(ctx, u.bound())
	defer cancel()
	data, err := w.View.Encode()
	if err == nil {
		e.Version, err = u.seat.config.Store.Write(ctx, data, w.Version)
	}
	switch {
	case err == nil:
		e.Applied = true
		u.answered(&u.writes, nil, func(s *Stats) { s.StoreWrites++ })
	case errors.Is(err, u.seat.config.Conflict):
		u.answered(&u.writes, nil, func(s *Stats) { s.StoreConflicts++ })
	default:
		e.Err = err
		u.answered(&u.writes, err, nil)
	}
	u.seat.wrote(o)
	u.seat.answer(o, e)
}

// answered takes note of what came of a call. The operator is told when calls of
// a kind begin to fail, and when they succeed again.
func (u *storage) answered(kind *outage, err error, count func(*Stats)) {
	if errors.Is(err, context.Canceled) {
		return // this node is leaving
	}
	now, log := time.Now(), u.seat.config.Logger
	u.mu.Lock()
	out := kind.since
	switch {
	case err != nil:
		u.stats.StoreErrors++
		if out.IsZero() {
			kind.since = now
		}
	default:
		kind.since = time.Time{}
		count(&u.stats)
	}
	u.mu.Unlock()
	switch {
	case err != nil && out.IsZero():
		remains := ""
		if kind == &u.reads {
			remains = u.seat.remains()
		}
		log.Warn("seat: the view store cannot be "+kind.what+remains, "error", err)
	case err == nil && !out.IsZero():
		log.Info("seat: the view store can be "+kind.what+" again", "after", now.Sub(out).Round(time.Millisecond).String())
	}
}

// waited counts a wait that failed. What keeps the node from waiting keeps it from
// reading as well, or does no harm.
func (u *storage) waited() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stats.StoreErrors++
}

// remains says how long the node can do without the store.
func (s *Seat) remains() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.node.Evidence()
	if !known {
		return ""
	}
	left := max(0, at+s.config.Params.Fresh()-s.clock.Now()).Round(time.Millisecond)
	return fmt.Sprintf("; without it this node serves for another %v, longer if another member reads it", left)
}

// wrote takes note that a write is over.
func (s *Seat) wrote(o order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.node == s.node {
		s.writing--
	}
	s.signal()
}

// report tells what there was.
func (u *storage) report(to *Stats) {
	u.mu.Lock()
	defer u.mu.Unlock()
	to.StoreReads, to.StoreWrites, to.StoreConflicts = u.stats.StoreReads, u.stats.StoreWrites, u.stats.StoreConflicts
	to.StoreErrors, to.BadJoiners, to.StoreOut = u.stats.StoreErrors, u.stats.BadJoiners, u.reads.since
}
