package pidcache

import (
	"sync/atomic"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// least is how many slots a table has at least.
const least = 8

// table is a hash table with open addressing, of one view. It is read while it is
// changed: a slot that has a hash keeps it, and whoever finds a PID there asks
// whether it is the right one.
type table struct {
	epoch uint64
	slots []slot // a power of two of them, of which a quarter at least never had a PID

	used, live int // slots that have or had a PID, and those that have one; guarded by Cache.mu
}

type slot struct {
	hash atomic.Uint64
	pid  atomic.Pointer[actor.PID] // nil at first
}

// nobody is in the place of a PID that was forgotten, for the sake of what was put
// behind it.
var nobody = new(actor.PID) //nolint:gochecknoglobals // a mark that never changes

// newTable returns an empty table that is not full before it has n PIDs, and half
// as many more.
func newTable(epoch uint64, n int) *table {
	size := least
	for size < 2*n {
		size *= 2
	}
	return &table{epoch: epoch, slots: make([]slot, size)}
}

func (t *table) slot(i uint64) *slot { return &t.slots[i&uint64(len(t.slots)-1)] }

func (t *table) full() bool { return t.used >= len(t.slots)/4*3 }

// again returns a copy that is not full, without what was forgotten.
func (t *table) again() *table {
	to := newTable(t.epoch, t.live+1)
	for i := range t.slots {
		from := &t.slots[i]
		pid, place := from.pid.Load(), from.hash.Load()
		if pid == nil || pid == nobody {
			continue
		}
		for to.slot(place).pid.Load() != nil {
			place++
		}
		to.slot(place).hash.Store(from.hash.Load())
		to.slot(place).pid.Store(pid)
		to.live++
	}
	to.used = to.live
	return to
}

// forget forgets the first PID from slot i on: a random one, if i is the hash of
// another.
func (t *table) forget(i uint64) {
	for pid := t.slot(i).pid.Load(); pid == nil || pid == nobody; pid = t.slot(i).pid.Load() {
		i++
	}
	t.empty(t.slot(i))
}

func (t *table) empty(s *slot) {
	s.pid.Store(nobody)
	t.live--
}
