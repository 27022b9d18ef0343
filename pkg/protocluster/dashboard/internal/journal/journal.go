// Package journal notes what one node's virtual actors do: which live, since when,
// what they handled last, and how those that ended lately did.
package journal

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/tally"
)

// MostEnded is how many activations are remembered that have ended.
const MostEnded = 4096

// Journal is what one node notes. Make it with New. Its methods may be called
// concurrently, and do not block.
type Journal struct {
	began   time.Time
	types   sync.Map // of the *string that names a reflect.Type
	handled atomic.Uint64
	panics  atomic.Uint64
	took    tally.Durations

	mu     sync.Mutex
	active map[cluster.Identity]*entry
	kinds  map[string]int // of active
	strict int            // likewise
	serial uint64         // of the newest
	sample sample
	ended  []*entry // a ring, once it is full
	next   int      // in it
}

// New returns an empty journal, whose samples have up to most identities.
func New(most int) *Journal {
	return &Journal{began: time.Now(), active: make(map[cluster.Identity]*entry), kinds: make(map[string]int),
		sample: sample{most: most, of: make(map[*entry]struct{})}}
}

// Watch is receiver middleware for the actors of kinds.
func (j *Journal) Watch(next actor.ReceiveFunc) actor.ReceiveFunc {
	var e *entry
	return func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			e = j.begin(ctx)
		case *actor.Stopping:
			if e != nil {
				e.stopping.Store(true)
			}
		case *actor.Stopped:
			defer j.end(e, ctx)
		case *actor.Restarting, *actor.Terminated, *actor.ReceiveTimeout:
		default:
			if e != nil {
				j.handle(e, ctx, next)
				return
			}
		}
		next(ctx)
	}
}

// begin notes an activation; after a restart it is there already.
func (j *Journal) begin(ctx actor.Context) *entry {
	id, ok := cluster.IdentityOf(ctx)
	if !ok {
		return nil // an actor of the same Props that is not virtual
	}
	token := ctx.Fence()
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.active[id]
	if e != nil && e.token == token && e.pid == ctx.Self() {
		return e
	}
	if e != nil {
		j.remove(e)
	}
	j.serial++
	e = &entry{
		id: id, serial: j.serial, hash: Hash(id), token: token, pid: ctx.Self(),
		began: time.Since(j.began), view: cluster.FromContext(ctx).View().Epoch,
	}
	j.active[id] = e
	j.kinds[id.Kind]++
	if e.strict() {
		j.strict++
	}
	j.sample.add(e)
	return e
}

// end notes that an activation is no more.
func (j *Journal) end(e *entry, ctx actor.Context) {
	if e == nil {
		return
	}
	end := Stopped
	switch node := cluster.FromContext(ctx); {
	case !e.stopping.Load():
		end = Dropped
	case leaving(node):
		end = Drained
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.active[e.id] != e {
		return
	}
	j.remove(e)
	e.over, e.gone, e.end = true, time.Since(j.began), end
	if len(j.ended) < MostEnded {
		j.ended = append(j.ended, e)
		return
	}
	j.ended[j.next] = e
	j.next = (j.next + 1) % MostEnded
}

// leaving reports whether the node of an activation is on its way out.
func leaving(node *cluster.Cluster) bool {
	m, in := node.View().At(node.System().Address())
	return in && m.Status == cluster.Leaving
}

// remove takes a living entry out; j.mu is held.
func (j *Journal) remove(e *entry) {
	delete(j.active, e.id)
	if j.kinds[e.id.Kind]--; j.kinds[e.id.Kind] == 0 {
		delete(j.kinds, e.id.Kind)
	}
	if e.strict() {
		j.strict--
	}
	j.sample.remove(e, j.active)
}

// handle has next handle a message, and notes that.
func (j *Journal) handle(e *entry, ctx actor.Context, next actor.ReceiveFunc) {
	began, panicked := time.Now(), true
	defer func() {
		took := time.Since(began)
		j.handled.Add(1)
		j.took.Add(took)
		if panicked {
			j.panics.Add(1)
		}
		e.note(message{name: j.nameOf(ctx.Message()), at: began.Sub(j.began), took: took, asked: ctx.Sender() != nil, panicked: panicked})
	}()
	next(ctx)
	panicked = false
}

// nameOf returns the name of a message's type, the same pointer for the same type.
func (j *Journal) nameOf(message any) *string {
	t := reflect.TypeOf(message)
	if name, ok := j.types.Load(t); ok {
		return name.(*string)
	}
	text := "nil"
	if t != nil {
		text = t.String()
	}
	name, _ := j.types.LoadOrStore(t, &text)
	return name.(*string)
}

// Totals are the counts of a journal.
type Totals struct {
	Active  int
	Strict  int // of those that live under a fencing token
	Kinds   map[string]int
	Handled uint64
	Panics  uint64
	Took    tally.Counts
}

// Totals returns the counts so far.
func (j *Journal) Totals() Totals {
	t := Totals{Handled: j.handled.Load(), Panics: j.panics.Load(), Took: j.took.Counts(), Kinds: make(map[string]int)}
	j.mu.Lock()
	defer j.mu.Unlock()
	t.Active, t.Strict = len(j.active), j.strict
	maps.Copy(t.Kinds, j.kinds)
	return t
}

// Find returns what is known of an identity: the activation that lives, if there
// is one, and those that ended lately, newest first.
func (j *Journal) Find(id cluster.Identity) []Activation {
	now := time.Since(j.began)
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []Activation
	for _, e := range j.ended {
		if e.id == id {
			found = append(found, e.activation(now))
		}
	}
	slices.SortFunc(found, func(a, b Activation) int { return cmp.Compare(a.Gone, b.Gone) })
	if e := j.active[id]; e != nil {
		found = append([]Activation{e.activation(now)}, found...)
	}
	return found
}
