package cluster

import (
	"errors"
	"fmt"
	"strings"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/names"
	"github.com/protocluster/workshop/pkg/protocluster/internal/patience"
)

// A hail is a first request that takes one trip instead of two, 0.6 of the time:
// it goes to where the identity belongs, which activates it and hands it the
// message. Where that cannot be done soon the hail is turned away unhandled, and
// its asker looks the identity up: all long waits are those of a look-up.

// roomy is the least time that a request has for a hail: one that is turned away
// late can still be looked up.
const roomy = 2 * patience.Most

// errTurnedAway says that a hail came to nothing.
var errTurnedAway = fmt.Errorf("cluster: it cannot be activated at once: %w", actor.ErrNotDelivered)

// hail is where a hail of id goes; nil if nobody knows.
func (n *node) hail(id Identity) *actor.PID {
	if n.router != nil {
		if owner, ok := n.router.Route(id); ok {
			return actor.NewPID(owner.Address, names.Hail+id.grain())
		}
	}
	return nil
}

// heard returns what came of a hail that went to that PID, and the PID of the
// activation, if it came to that.
func (n *node) heard(id Identity, hail *actor.PID, reply any, err error) (*actor.PID, any, error) {
	name, _ := strings.CutPrefix(hail.ID, names.Hail)
	if v, ok := reply.(*clusterpb.LocateReply); ok {
		reply = nil
		_, err = verdictOf(Member{Address: hail.Address}, id, v)
	}
	_, failed := errors.AsType[*ActivationError](err)
	_, busy := errors.AsType[*actor.RejectedError](err) // it is there, and says so
	if !failed && !busy && errors.Is(err, actor.ErrNotDelivered) {
		return nil, nil, errTurnedAway
	}
	if n.stats.misses.Add(1); failed {
		return nil, nil, err
	}
	pid, epoch := actor.NewPID(hail.Address, name), n.View().Epoch
	if owner, ok := n.router.Route(id); ok && owner.Address == pid.Address {
		n.cache.Put(id, pid, epoch)
	}
	return pid, reply, err
}

// hailed takes a hail, or turns it away.
func (n *node) hailed(name string, e actor.Envelope) (taken bool) {
	id, ok := parseGrain(name[len(names.Hail):])
	if !ok || n.cluster.node.Load() != n { // it was this system's node before
		return false
	}
	if n.router == nil || !n.owns(id) || !n.grains.hail(id, e) {
		n.turnAway(id, []actor.Envelope{e}, errTurnedAway)
	}
	return true
}

// owns reports whether id belongs here.
func (n *node) owns(id Identity) bool {
	owner, ok := n.router.Route(id)
	return ok && owner.ID == n.Self().ID
}

// turnAway tells the askers that their hails were not handled, and why.
func (n *node) turnAway(id Identity, hails []actor.Envelope, why error) {
	for i, e := range hails {
		if e.Sender.IsFuture() && actor.FutureOf(e.Sender) == nil {
			_ = n.system.TrySend(e.Sender, verdict(why)) // which tells an ActivationError from other errors
			continue
		}
		n.refuse(id, hails[i:i+1], why)
	}
}

// hail hands e to the activation of id, or begins one; false if neither can be
// done at once.
func (t *activations) hail(id Identity, e actor.Envelope) bool {
	a, ending, began, err := t.claim(id, nil)
	if err != nil || ending {
		return false
	}
	taken := t.attach(a, e) // before it can fail to start, of which who is attached is told
	if !began {
		return taken
	}
	t.spawn(a)
	if !a.kind.strict && !t.node.owns(id) { // it moved meanwhile, and the Update that moved it may not have seen it
		t.node.Retain(t.node.owns)
	}
	return taken
}

// attach hands e to an activation, if need be as soon as it has started.
func (t *activations) attach(a *activation, e actor.Envelope) bool {
	t.mu.Lock()
	pid := a.pid
	taken := !a.ending && (pid != nil || !a.slow && len(a.hails) < parkingLimit)
	if taken && pid == nil {
		if a.hails = append(a.hails, e); len(a.hails) == 1 {
			t.patience.With(a)
		}
	}
	t.mu.Unlock()
	if taken && pid != nil {
		_ = t.node.system.SendEnvelope(pid, e) // a full mailbox refuses it
	}
	return taken
}

// tire turns away who waits for those to start, for too long or in vain, and who
// comes to wait from now on.
func (t *activations) tire(those []*activation) {
	for _, a := range those {
		t.mu.Lock()
		hails := a.hails
		a.hails, a.slow = nil, true
		t.mu.Unlock()
		t.node.turnAway(a.id, hails, errTurnedAway)
	}
}
