package sealedview

import (
	"fmt"
	"slices"
	"time"
)

// Config says which node a Node is.
type Config struct {
	Self    Member
	Mode    Mode          // of a cluster that this node begins
	Cluster string        // the id of such a cluster
	Params  Params        // the same at all nodes
	Started uint64        // unix milliseconds at instant 0 of the node's clock; may be wrong
	Stagger time.Duration // between those who could all change the view
}

// Node is one member's part in the protocol: a state machine without I/O,
// clocks or goroutines. Whoever drives it passes the reading of one monotonic
// clock with each event, carries out the effects in order, and calls Step with a
// Tick at Next. It is not safe for concurrent use.
type Node struct {
	config  Config
	p       *Params
	now     time.Duration
	wake    time.Duration // when the next Tick is due
	doubt   time.Duration // until when the node takes its own lateness for that of others
	out     []Effect
	evicted bool
	warned  string // what was told last, so as not to repeat it

	view    *View         // installed; nil before the node is a member
	made    time.Duration // when the view was learned of: it is at least as old
	grantor Grantor
	lease   Lease
	gate    *Gate
	moved   []string // of the view's Previous: has told of having installed the view
	seq     uint64
	sent    [8]renewal // the recent Renews, by seq
	renewAt time.Duration
	leasing bool          // had a lease when last looked
	gained  time.Duration // when that began
	served  time.Duration // when it was last so, or the view was installed

	peers   map[string]*peer // the other members
	others  []*peer          // in the order of the view
	council []*peer          // of them
	rank    int              // among the members by age
	inCouncil,
	isGrantor bool

	record   record
	removals []*removal
	asked    time.Duration            // when the grantors were asked about them last
	heardOf  time.Duration            // when somebody else asked about another's last
	excluded map[string]time.Duration // by the store, in this view: since when that is known
	joiners  map[string]*joiner
	leave    leaving
	claim    claim
}

// renewal is a Renew that was sent.
type renewal struct {
	seq uint64
	at  time.Duration
}

// NewNode returns a node that does not belong to any view yet.
func NewNode(config Config) *Node {
	n := &Node{
		config:   config,
		joiners:  make(map[string]*joiner),
		excluded: make(map[string]time.Duration),
		record:   record{wanted: true, contact: never},
		wake:     maxTime,
	}
	n.config.Self.State = Active
	n.p = &n.config.Params
	n.gate = newGate(config.Self.ID, n.p)
	return n
}

// View is the installed view, or nil.
func (n *Node) View() *View { return n.view }

// Evicted reports whether the node's part is over. Its process may take another
// as a new member.
func (n *Node) Evicted() bool { return n.evicted }

// Past is what the process takes along if it becomes another member: the Was of
// that. It is zero unless the node was evicted.
func (n *Node) Past() Past {
	if !n.evicted || n.view == nil {
		return Past{}
	}
	return Past{n.config.Self.ID, n.view.Stamp}
}

// Serves reports whether the node may dispatch messages at now.
func (n *Node) Serves(now time.Duration) bool { return now < n.Until() }

// Until is the instant at which Serves ends unless the lease is renewed.
func (n *Node) Until() time.Duration {
	if n.leave == drained {
		return never
	}
	return n.leasedUntil()
}

// leasedUntil is the end of the node's lease. A node that has drained does not
// serve, but its lease lets it change the view.
func (n *Node) leasedUntil() time.Duration {
	switch {
	case n.evicted || n.view == nil:
		return never
	case !n.p.keeps(leaseCheck):
		return maxTime
	}
	return n.lease.Until(n.p)
}

func (n *Node) leased() bool { return n.now < n.leasedUntil() }

// MayActivate reports whether an identity may be activated here at now. owner
// says whom a view assigns it to. The host has to activate it before the next
// Step, or to ask again.
func (n *Node) MayActivate(now time.Duration, owner func(*View) string) bool {
	return n.Serves(now) && n.gate.Open(owner)
}

// Owing tells what an identity waits for: mine says that the installed view
// assigns it to this node and that the node has a lease at now, and members are
// those whose barrier is missing. Mine and no members is MayActivate.
//
// A host that does not want to wait for the barriers may ask these members for
// the one identity. Who answers "I have installed exactly this view, the one of
// your Stamp; I do not hold the identity, and will not activate it under an older
// view" is as good as its barrier for it, as long as that view is installed here.
// Once all have answered so, the host may activate the identity: in the same turn
// in which Owing still says mine, for the same view, and names nobody else.
func (n *Node) Owing(now time.Duration, owner func(*View) string) (members []string, mine bool) {
	if !n.Serves(now) {
		return nil, false
	}
	return n.gate.Owing(owner)
}

// Promise tells of this node as a grantor: until when it has promised member its
// lease, and whether it excludes it in the installed view. It decides nothing;
// simulators and pages for operators show it.
func (n *Node) Promise(member string) (until time.Duration, excluded bool) {
	return n.grantor.until[member], n.grantor.excluded[member]
}

// Next is the instant at which a Tick is due.
func (n *Node) Next() time.Duration {
	if n.wake == maxTime {
		return n.now
	}
	return n.wake
}

// tardy is how late a Tick makes a node doubt itself.
const tardy = 50 * time.Millisecond

// Step takes an event and returns what is to be done about it. The returned
// slice is valid until the next call.
func (n *Node) Step(now time.Duration, e Event) []Effect {
	n.now, n.out = max(now, n.now), n.out[:0]
	if n.evicted {
		return nil
	}
	if n.now-n.wake > tardy {
		// What has not been heard may be waiting to be (Lifeguard;
		// Dadgar, Phillips, Currey, DSN-W 2018).
		n.doubt = n.now + n.p.doubt()
	}
	if n.take(e) || n.now >= n.wake || n.wake == maxTime {
		n.attend()
	}
	n.consult()
	return n.out
}

// take takes in an event and reports whether there may be something to do at
// once.
func (n *Node) take(e Event) bool {
	switch e := e.(type) {
	case Received:
		return n.receive(e.From, e.Message)
	case Read:
		n.read(e)
	case Seen:
		n.record.wanted = n.record.wanted || n.news(e)
	case Wrote:
		n.wrote(e)
	case Released:
		n.release(e)
	case Slept:
		n.slept(e.For)
	case Leave:
		n.leave = max(n.leave, wantsToLeave)
	case Drained:
		n.drained()
	}
	return true
}

// attend does what is due.
func (n *Node) attend() {
	if n.evicted {
		return
	}
	if n.view == nil {
		n.ask()
	} else {
		n.look()
		n.renew()
		n.repeatBarriers()
		n.watchOver()
		n.remove()
		n.admit()
		n.depart()
		n.unlock()
	}
	n.override()
	n.wake = max(n.next(), n.now+time.Millisecond)
}

// next is when there will be something to do.
func (n *Node) next() time.Duration {
	next := n.renewAt
	switch {
	case len(n.removals) > 0:
		next = min(next, n.now+n.p.Renew/50)
	case len(n.joiners) > 0 || n.leave != staying || n.view == nil || n.hasBarriers():
		next = min(next, n.now+n.p.Renew/10)
	}
	if n.record.wanted && !n.busy() {
		next = min(next, n.record.retry)
	}
	if n.inCouncil {
		next = min(next, n.nextSuspicion())
	}
	return next
}

func (n *Node) do(e Effect) { n.out = append(n.out, e) }

// warn tells the operator, once as long as nothing else is told.
func (n *Node) warn(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); text != n.warned {
		n.warned = text
		n.do(Warn{text})
	}
}

// install goes by a newer view.
func (n *Node) install(v *View) {
	if n.view != nil && v.Epoch <= n.view.Epoch {
		n.do(Violated{fmt.Sprintf("epoch %d would follow %d", v.Epoch, n.view.Epoch)})
		return
	}
	if !v.Has(n.config.Self.ID) {
		n.evict(v)
		return
	}
	if n.leased() {
		n.record.torn = false // with a lease, this is the view that others follow
	}
	n.view, n.made = v, n.now
	n.grantor.Install(n.p, v.Stamp)
	n.grantor.Forget(n.now)
	n.lease = newLease(v)
	n.gate.install(v)
	n.meet(v)
	n.seal()
	n.sent = [8]renewal{}
	n.leasing, n.served, n.renewAt = false, n.now, n.now
	n.removals, n.asked, n.heardOf = nil, never, never
	clear(n.excluded)
	n.do(Installed{v})
}

// evict ends the node's part. It tells the council, which may need to know that
// one more has left the view before; unless it has left that for another view,
// and counts there.
func (n *Node) evict(v *View) {
	n.evicted = true
	n.do(Evicted{v})
	if n.view != nil && !v.follows(n.view) {
		return
	}
	for i := range v.Members[:min(len(v.Members), councilSize)] {
		n.do(Send{&v.Members[i], Push{v}})
	}
}

// seal starts to find out whether the view is sealed: whether a majority of the
// grantors of the view before have installed it. They grant nothing in the view
// before any more, and refuse any other made of it.
func (n *Node) seal() {
	n.moved = n.moved[:0]
	if len(n.view.Previous) == 0 {
		n.lease.Seal(n.now)
	}
	n.hasMoved(n.config.Self.ID)
	n.hasMoved(StoreGrantor) // it shows the view
}

// hasMoved takes note of a node that has installed the view, or will never install
// any other made of the one before.
func (n *Node) hasMoved(id string) {
	if n.lease.Sealed() || !slices.Contains(n.view.Previous, id) || slices.Contains(n.moved, id) {
		return
	}
	if n.moved = append(n.moved, id); len(n.moved) >= Quorum(len(n.view.Previous)) {
		n.lease.Seal(n.now)
	}
}

// look takes note of whether the node has a lease.
func (n *Node) look() {
	if n.now >= n.made+n.p.Outlast(n.p.Store) {
		n.lease.Seal(n.now) // nobody has fresh evidence of the view before
	}
	leasing := n.leased()
	if leasing && !n.leasing {
		n.gained, n.warned = n.now, ""
	}
	if leasing {
		n.served = n.now
		n.claim.attempts = 0
	}
	if !leasing && n.now-n.served > n.p.Settle {
		n.lease.Renounce(n.now - n.p.Term())
	}
	n.leasing = leasing
}

// slept makes void what was granted before the clock stood still, and sets right
// what the node takes for the time of day.
func (n *Node) slept(d time.Duration) {
	n.config.Started += uint64(max(0, d.Milliseconds()))
	n.doubt = n.now + n.p.doubt()
	n.record.contact, n.record.dated = never, n.busy()
	if n.view == nil {
		return
	}
	sealed := n.lease.sealed
	n.lease = newLease(n.view)
	n.lease.sealed = sealed
	n.sent = [8]renewal{}
	n.renewAt = n.now
}

// millis is the wall clock as far as this node knows it. It is bounded, because
// a clock far in the future would use up the epochs.
func (n *Node) millis() uint64 {
	return min(n.config.Started, 1<<50) + uint64(n.now.Milliseconds())
}
