package failover_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	failover "github.com/protocluster/workshop/chapters/chapter4/06_failover"
	"github.com/protocluster/workshop/exercises_test/internal/sim"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// node is one member of the cluster from its start to its end: the code around
// a failover.Gate.
type node struct {
	w      *world
	proc   *sim.Process
	id     string // n1, and after a restart n1.2
	life   int
	gate   *failover.Gate
	view   *cluster.View // nil before the first
	lease  failover.Lease
	heard  uint64                           // the newest epoch
	active map[cluster.Identity]*activation // of those that run here
	cache  map[cluster.Identity]string      // on which member others are
	over   bool                             // it is out of the view; the process goes on as another member
}

// activation has in memory what it has read from the database.
type activation struct{ deposits []int }

// errRefused is a refusal that is none of the gate's: look again, and try again.
var errRefused = fmt.Errorf("this member cannot serve that now: %w", actor.ErrNotDelivered)

func (w *world) begin(proc *sim.Process, life int) *node {
	n := &node{
		w: w, proc: proc, id: proc.Name, life: life, gate: failover.New(owner, term),
		active: make(map[cluster.Identity]*activation), cache: make(map[cluster.Identity]string),
	}
	if life > 1 {
		n.id = fmt.Sprint(proc.Name, ".", life)
	}
	w.nodes = append(w.nodes, n)
	w.registry.join(n)
	return n
}

func (n *node) self() cluster.Member {
	return cluster.Member{ID: n.id, Address: n.proc.Name + ":8080", Kinds: []string{"user"}, Status: cluster.Up}
}

// beats asks for a lease now and after each beat.
func (n *node) beats() {
	if n.over {
		return
	}
	n.ask()
	n.proc.After(beat, n.beats)
}

// ask asks for a lease, which counts from now on.
func (n *node) ask() {
	sent := time.Now()
	n.proc.Send(n.w.registry.proc, func() {
		view := n.w.registry.asked(n.id)
		n.w.registry.proc.Send(n.proc, func() { n.told(view, sent) })
	})
}

// told takes the registry's answer.
func (n *node) told(view *cluster.View, sent time.Time) {
	if n.over || n.view != nil && view.Epoch < n.view.Epoch {
		return
	}
	if _, member := view.Member(n.id); !member {
		n.end()
		return
	}
	n.heard = max(n.heard, view.Epoch)
	n.lease = failover.Lease{Epoch: view.Epoch, Until: sent.Add(term)}
	if n.view == nil || view.Epoch > n.view.Epoch {
		n.install(view)
	}
}

// install goes by a new view from now on.
func (n *node) install(view *cluster.View) {
	var names []string
	for _, m := range view.Members {
		names = append(names, m.ID)
	}
	n.w.s.Note(n.proc.Name, "hears of %s", strings.Join(names, " "))
	n.view = view
	for _, m := range n.gate.Change(time.Now(), view) {
		for id, member := range n.cache {
			if member == m.ID {
				delete(n.cache, id)
			}
		}
	}
	for _, a := range n.w.accounts {
		if n.owns(a.id) != nil {
			n.stop(a.id)
		}
	}
}

// end is what a member does that the view is without: nothing any more. Its
// process joins as another one.
func (n *node) end() {
	n.w.s.Note(n.proc.Name, "hears that it is out")
	n.over = true
	clear(n.active)
	n.proc.After(beat, func() { n.w.begin(n.proc, n.life+1).beats() })
}

func (n *node) stop(id cluster.Identity) {
	if n.active[id] != nil {
		n.w.s.Note(n.proc.Name, "stops %s", id)
		delete(n.active, id)
	}
}

// owns returns nil if the view gives id to n.
func (n *node) owns(id cluster.Identity) error {
	o, err := owner(id, n.view.Members)
	if err == nil && o.ID != n.id {
		err = &cluster.MovedError{ID: id, Owner: o, Epoch: n.view.Epoch}
	}
	return err
}

// acts reports whether n, asked now, would let an activation act.
func (n *node) acts() bool { return failover.MayActivate(time.Now(), n.lease, n.heard) }

// leased reports whether n has a lease, whatever its code says.
func (n *node) leased() bool { return n.lease.Epoch == n.heard && time.Now().Before(n.lease.Until) }

// request passes a deposit on to where the account is, and reports what became
// of it, unless that is lost.
func (n *node) request(id cluster.Identity, deposit int, done func(error)) {
	if n.over || n.view == nil {
		done(errRefused)
		return
	}
	target := n.cache[id]
	if target == "" {
		o, err := owner(id, n.view.Members)
		if err != nil {
			done(err)
			return
		}
		target = o.ID
	}
	to, epoch := n.w.node(target), n.heard
	n.proc.Send(to.proc, func() {
		to.serve(id, deposit, epoch, func(err error) {
			to.proc.Send(n.proc, func() {
				if n.cache[id] = target; err != nil {
					delete(n.cache, id)
				}
				done(err)
			})
		})
	})
}

// serve has the account handle a deposit, and activates it if it has to. It
// reports once the deposit is in the database, or that it never will be.
func (n *node) serve(id cluster.Identity, deposit int, epoch uint64, done func(error)) {
	n.heard = max(n.heard, epoch)
	switch {
	case n.over || n.view == nil || !n.acts():
		done(errRefused)
	case n.active[id] != nil:
		n.act(id, deposit)
		done(nil)
	case n.owns(id) != nil:
		done(n.owns(id))
	case n.admit(id) != nil:
		done(n.admit(id))
	default:
		n.handOver(id, func() {
			if n.start(id); n.active[id] == nil {
				done(errRefused)
				return
			}
			n.act(id, deposit)
			done(nil)
		})
	}
}

// admit asks the gate, and checks what it says.
func (n *node) admit(id cluster.Identity) error {
	err := n.gate.Admit(time.Now(), n.lease, id)
	if err == nil {
		return nil
	}
	if rejected, ok := errors.AsType[*actor.RejectedError](err); !ok || !errors.Is(err, actor.ErrNotDelivered) || rejected.RetryAfter <= 0 {
		n.w.s.Need(err, story.Failure{
			Misconception: "an-error-is-an-error",
			Happened:      fmt.Sprintf("%s refused to start %s with an error that does not say that the caller may try again, nor when.", n.id, id),
			Got:           fmt.Sprintf("%T: %v", err, err), Want: "an *actor.RejectedError that is actor.ErrNotDelivered, with RetryAfter",
			Lesson: "Nothing was executed, so a retry is safe. A caller who is not told so must give up.",
			Read:   "come-back-later",
		})
	}
	return err
}

// handOver asks all other members to let go of id, and goes on once all have. It
// waits for ever for one that does not answer, which leaves the view one day.
func (n *node) handOver(id cluster.Identity, done func()) {
	epoch, waits := n.view.Epoch, 1
	one := func() {
		if waits--; waits == 0 && n.view.Epoch == epoch {
			done()
		}
	}
	for _, m := range n.view.Members {
		if m.ID == n.id {
			continue
		}
		waits++
		o := n.w.node(m.ID)
		n.proc.Send(o.proc, func() {
			newest := o.letGo(id, epoch)
			o.proc.Send(n.proc, func() {
				n.heard = max(n.heard, newest)
				one()
			})
		})
	}
	n.proc.After(0, one)
}

// letGo stops id, which a view of that epoch gives to another member, and
// promises never to start it by an older view. It returns the newest epoch.
func (n *node) letGo(id cluster.Identity, epoch uint64) uint64 {
	if n.heard = max(n.heard, epoch); n.view != nil && epoch >= n.view.Epoch {
		n.stop(id)
	}
	return n.heard
}

// start activates id, if n may still do that.
func (n *node) start(id cluster.Identity) {
	if n.over || n.active[id] != nil || !n.acts() || n.owns(id) != nil || n.admit(id) != nil {
		return
	}
	n.w.s.Note(n.proc.Name, "starts %s, lease %.3fs", id, n.w.since(n.lease.Until).Seconds())
	n.w.alone(n, id)
	n.active[id] = &activation{deposits: slices.Clone(n.w.database[id])}
}

// act has the activation handle a deposit: it writes back all that it knows.
func (n *node) act(id cluster.Identity, deposit int) {
	n.w.alone(n, id)
	a := n.active[id]
	a.deposits = append(a.deposits, deposit)
	n.w.database[id] = slices.Clone(a.deposits)
}
