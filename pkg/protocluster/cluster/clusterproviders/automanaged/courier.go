package automanaged

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	askEvery   = 500 * time.Millisecond // for one list of kinds that is missing
	maxNote    = 8 * maxKinds           // JSON escapes a byte as six at most
	maxLibrary = 1 << 20                // lists of kinds given to one node that joins
)

// courier brings the lists of kinds that do not fit into memberlist's meta,
// which then has their digest: to a node that joins with memberlist's own
// exchange of state, later by a note to whoever asks for one. It is
// memberlist's Delegate. One goroutine, carry, sends the notes; asks may be
// lost and are repeated.
type courier struct {
	roster *roster
	meta   atomic.Pointer[[]byte] // this node's card
	notes  chan note
	asked  map[digest]time.Time // of the session's goroutine only
}

// note is what one node tells another: a list, or that it wants one.
type note struct {
	to    memberlist.Node
	Ask   []byte   `json:"ask,omitempty"` // digest of the list that From wants
	From  string   `json:"from,omitempty"`
	Kinds []string `json:"kinds,omitempty"`
}

func newCourier(r *roster) *courier {
	return &courier{roster: r, notes: make(chan note, 64), asked: map[digest]time.Time{}}
}

// ask asks for the lists that are missing, and returns how long to wait before
// the next time; 0 if none is missing.
func (c *courier) ask(missing map[digest]memberlist.Node) time.Duration {
	now := time.Now()
	for d, owner := range missing {
		if now.Sub(c.asked[d]) >= askEvery {
			c.asked[d] = now
			c.post(note{to: owner, Ask: d[:], From: c.roster.self})
		}
	}
	for d := range c.asked {
		if _, ok := missing[d]; !ok {
			delete(c.asked, d)
		}
	}
	if len(missing) == 0 {
		return 0
	}
	return askEvery
}

func (c *courier) post(n note) {
	select {
	case c.notes <- n:
	default: // whoever needs it asks again
	}
}

// carry sends what is posted until ctx ends.
func (c *courier) carry(ctx context.Context, list *memberlist.Memberlist) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-c.notes:
			if text, err := json.Marshal(n); err == nil {
				_ = list.SendReliable(&n.to, text) // as above
			}
		}
	}
}

// NodeMeta implements memberlist.Delegate.
func (c *courier) NodeMeta(int) []byte { return *c.meta.Load() }

// NotifyMsg implements memberlist.Delegate: a note from anybody.
func (c *courier) NotifyMsg(text []byte) {
	var n note
	if len(text) > maxNote || json.Unmarshal(text, &n) != nil {
		return
	}
	if len(n.Kinds) > 0 {
		c.roster.learn(n.Kinds)
	}
	if len(n.Ask) != len(digest{}) {
		return
	}
	kinds := c.roster.list(digest(n.Ask))
	if to, ok := c.roster.node(n.From); ok && kinds != nil {
		c.post(note{to: to, Kinds: kinds})
	}
}

// GetBroadcasts implements memberlist.Delegate.
func (c *courier) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState implements memberlist.Delegate: all lists, to a node that joins,
// so that its first view is complete.
func (c *courier) LocalState(join bool) []byte {
	lists := c.roster.lists()
	if !join || len(lists) == 0 {
		return nil
	}
	text, err := json.Marshal(lists)
	if err != nil || len(text) > maxLibrary {
		return nil // it will ask
	}
	return text
}

// MergeRemoteState implements memberlist.Delegate.
func (c *courier) MergeRemoteState(text []byte, _ bool) {
	var lists [][]string
	if len(text) > maxLibrary || json.Unmarshal(text, &lists) != nil {
		return
	}
	for _, kinds := range lists {
		c.roster.learn(kinds)
	}
}
