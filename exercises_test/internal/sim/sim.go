package sim

import (
	"container/heap"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// Sim is one run: a queue of what will happen. It is for one goroutine.
type Sim struct {
	begin time.Time
	base  uint64 // of all that is random
	queue queue
	seq   int
	links map[link]*cable
}

// link is the way from one process to another, by their names.
type link struct{ from, to string }

// cable is the state of a link.
type cable struct {
	random *rand.Rand
	last   time.Time // the arrival of the newest message
	cut    bool
}

// New returns a run that begins now. All that is random in it comes from r.
func New(r *rand.Rand) *Sim {
	return &Sim{begin: time.Now(), base: r.Uint64(), links: make(map[link]*cable)}
}

// Since returns how long the run has lasted.
func (s *Sim) Since() time.Duration { return time.Since(s.begin) }

// At calls f when the run has lasted that long.
func (s *Sim) At(since time.Duration, f func()) { s.push(s.begin.Add(since), f) }

// Run lets happen all that is due before the run has lasted that long.
func (s *Sim) Run(since time.Duration) {
	end := s.begin.Add(since)
	for len(s.queue) > 0 && s.queue[0].at.Before(end) {
		e := heap.Pop(&s.queue).(*event)
		testkit.Advance(time.Until(e.at))
		e.f()
	}
	testkit.Advance(time.Until(end))
}

// Cut loses what two processes send each other from now on, and what is under
// way. It is about the names: a process that is restarted is cut off too.
func (s *Sim) Cut(a, b string) { s.cable(a, b).cut, s.cable(b, a).cut = true, true }

// Heal ends a Cut.
func (s *Sim) Heal(a, b string) { s.cable(a, b).cut, s.cable(b, a).cut = false, false }

func (s *Sim) cable(from, to string) *cable {
	l := link{from, to}
	c := s.links[l]
	if c == nil {
		c = &cable{random: rand.New(rand.NewPCG(s.base, hash(from+">"+to)))}
		s.links[l] = c
	}
	return c
}

// arrival is when a message that is sent now arrives.
func (c *cable) arrival() time.Time {
	const least, spread = time.Millisecond, 19 * time.Millisecond
	at := time.Now().Add(least + time.Duration(c.random.Int64N(int64(spread))))
	if !at.After(c.last) {
		at = c.last.Add(1)
	}
	c.last = at
	return at
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// event is something that will happen. Those of one instant happen in the order
// in which they were planned.
type event struct {
	at  time.Time
	seq int
	f   func()
}

func (s *Sim) push(at time.Time, f func()) {
	s.seq++
	heap.Push(&s.queue, &event{at, s.seq, f})
}

// queue is a heap.Interface.
type queue []*event

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*event)) }

func (q queue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].seq < q[j].seq
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last], *q = nil, (*q)[:last]
	return e
}
