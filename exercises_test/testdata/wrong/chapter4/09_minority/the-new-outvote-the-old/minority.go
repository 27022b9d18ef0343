// Package minority is exercise 4.9: knowing that one may be on the smaller side
// of a partition, and being quiet there.
package minority

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Quorum keeps the lease of one member, which lasts as long as a majority of the
// electors goes on answering. The member itself always answers. Its methods may
// be called concurrently.
type Quorum struct {
	self string // its ID
	term time.Duration

	mu       sync.Mutex           // guards what follows
	view     *cluster.View        // the newest; nil before the first
	electors []string             // IDs, sorted
	next     []string             // who are to be the electors; nil: nobody else
	proposed time.Time            // when next was
	answered map[string]time.Time // by ID: when the newest question was sent that a member has answered
}

// New returns the Quorum of the member with that ID, which has no electors yet
// and no lease. A lease lasts for term.
func New(self string, term time.Duration) *Quorum {
	return &Quorum{self: self, term: term, answered: make(map[string]time.Time)}
}

// Change takes a new view in, at now, and ignores one that is not newer than
// what it has. The electors are the members of the first view that are up. Those
// of a later view take their place as soon as majorities of both, the old
// electors and the new ones, have answered what was sent at now or later. Until
// then the old ones remain, whether they are in the view or not.
func (q *Quorum) Change(now time.Time, view *cluster.View) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.view != nil && view.Epoch <= q.view.Epoch {
		return
	}
	q.view = view
	var up []string
	for _, m := range view.Members {
		if m.Status == cluster.Up {
			up = append(up, m.ID)
		}
	}
	switch {
	case len(q.electors) == 0:
		q.electors = up
	case !slices.Equal(up, q.next):
		q.next, q.proposed = up, now
	}
}

// Granted takes note that a member has answered a question that was sent then.
// It returns an error, and takes no note, if that is neither an elector nor to be
// one.
func (q *Quorum) Granted(member string, sent time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !slices.Contains(q.electors, member) && !slices.Contains(q.next, member) {
		return fmt.Errorf("minority: %s is no elector, so its answer does not count", member)
	}
	if sent.After(q.answered[member]) {
		q.answered[member] = sent
	}
	agree := func(voters []string) bool { return !q.since(voters, sent).Before(q.proposed) }
	if len(q.next) > 0 && agree(q.next) {
		q.electors, q.next = q.next, nil
	}
	return nil
}

// Until returns when the lease is over, as known at now: a term after the newest
// instant since which a majority of the electors has been asked and has
// answered. The zero time if there is no such instant.
func (q *Quorum) Until(now time.Time) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at := q.since(q.electors, now); !at.IsZero() {
		return at.Add(q.term)
	}
	return time.Time{}
}

// since returns the newest instant such that a majority of the voters has
// answered what was sent then or later; the zero time if there is none. The
// member itself has answered at now.
func (q *Quorum) since(voters []string, now time.Time) time.Time {
	if len(voters) == 0 {
		return time.Time{}
	}
	times := make([]time.Time, len(voters))
	for i, id := range voters {
		if times[i] = q.answered[id]; id == q.self {
			times[i] = now
		}
	}
	slices.SortFunc(times, func(a, b time.Time) int { return b.Compare(a) })
	return times[len(times)/2]
}
