package assembled

import (
	"context"
	"fmt"
	"sync"
	"time"

	failover "github.com/protocluster/workshop/chapters/chapter4/06_failover"
	minority "github.com/protocluster/workshop/chapters/chapter4/09_minority"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// leaseKind is the kind of the identities by which members ask each other for
// their leases: a Host carries nothing else between Locators.
const leaseKind = "chapter4.lease"

// ballot is the quorum of a member in one of its lives: whoever was dropped from
// the view comes back under another ID, and votes under that.
type ballot struct {
	id     string
	quorum *minority.Quorum
}

// vote takes a new view in, in Update's goroutine.
func (n *locator) vote(now time.Time, view *cluster.View) {
	if !n.votes {
		return
	}
	id := n.host.Self().ID
	b := n.ballot.Load()
	if b == nil || b.id != id {
		b = &ballot{id, minority.New(id, n.term)}
	}
	b.quorum.Change(now, view)
	n.ballot.Store(b)
}

// lease is what this member may do now. Without exercise 4.9 it grants itself.
func (n *locator) lease() failover.Lease {
	now := time.Now()
	l := failover.Lease{Epoch: n.view.Load().Epoch, Until: now.Add(n.term)}
	if n.votes {
		l.Until = n.ballot.Load().quorum.Until(now)
	}
	return l
}

// keepLease renews the lease four times in each term and at each change of the
// view, and stops what is active when it ends.
func (n *locator) keepLease() {
	ticker := time.NewTicker(n.term / 4)
	defer ticker.Stop()
	asked := &questions{under: make(map[string]bool)}
	for {
		n.renew(asked)
		if n.votes && !time.Now().Before(n.lease().Until) {
			n.host.Retain(func(cluster.Identity) bool { return false })
		}
		select {
		case <-n.wake:
		case <-ticker.C:
		case <-n.ctx.Done():
			return
		}
	}
}

// questions are those that have no answer yet, by member.
type questions struct {
	mu    sync.Mutex
	under map[string]bool
}

// begin reports whether no question to that member is under way.
func (q *questions) begin(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.under[id] {
		return false
	}
	q.under[id] = true
	return true
}

func (q *questions) end(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.under, id)
}

// renew asks all other members that have not been asked yet. One that is in no
// view, such as a client, has no lease to ask for.
func (n *locator) renew(asked *questions) {
	view, self, b := n.view.Load(), n.host.Self(), n.ballot.Load()
	if _, member := view.Member(self.ID); !n.votes || !member || b.id != self.ID {
		return
	}
	for _, m := range view.Members {
		if m.ID == self.ID || !asked.begin(m.ID) {
			continue
		}
		n.tasks.Go(func() {
			defer asked.end(m.ID)
			ctx, cancel := context.WithTimeout(n.ctx, n.term)
			defer cancel()
			sent := time.Now()
			if _, err := n.host.Ask(ctx, m, cluster.Identity{Kind: leaseKind, Identity: self.ID}); err == nil {
				_ = b.quorum.Granted(m.ID, sent) // it may have left meanwhile
			}
		})
	}
}

// grant answers a member that asks for its lease: yes, if it is in the view.
func (n *locator) grant(id cluster.Identity) (*actor.PID, error) {
	if _, member := n.view.Load().Member(id.Identity); !member {
		return nil, fmt.Errorf("assembled: %s is in no view of this member: %w", id.Identity, actor.ErrNotDelivered)
	}
	return actor.NewPID(n.host.Self().Address, id.String()), nil
}
