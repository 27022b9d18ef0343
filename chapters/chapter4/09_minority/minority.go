// Package minority is exercise 4.9: knowing that one may be on the smaller side
// of a partition, and being quiet there.
package minority

import (
	"time"

	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Quorum keeps the lease of one member, which lasts as long as a majority of the
// electors goes on answering. The member itself always answers. Its methods may
// be called concurrently.
type Quorum struct {
	self string // its ID
	term time.Duration

	// Your fields.
}

// New returns the Quorum of the member with that ID, which has no electors yet
// and no lease. A lease lasts for term.
func New(self string, term time.Duration) *Quorum {
	return &Quorum{self: self, term: term}
}

// Change takes a new view in, at now, and ignores one that is not newer than
// what it has. The electors are the members of the first view that are up. Those
// of a later view take their place as soon as majorities of both, the old
// electors and the new ones, have answered what was sent at now or later. Until
// then the old ones remain, whether they are in the view or not.
func (q *Quorum) Change(now time.Time, view *cluster.View) {
}

// Granted takes note that a member has answered a question that was sent then.
// It returns an error, and takes no note, if that is neither an elector nor to be
// one.
func (q *Quorum) Granted(member string, sent time.Time) error {
	return todo.Error("4.9")
}

// Until returns when the lease is over, as known at now: a term after the newest
// instant since which a majority of the electors has been asked and has
// answered. The zero time if there is no such instant.
func (q *Quorum) Until(now time.Time) time.Time {
	return time.Time{}
}
