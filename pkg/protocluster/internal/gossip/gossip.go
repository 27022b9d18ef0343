// Package gossip is what a node knows of everybody's load: a state machine
// without I/O, whose rounds are bounded however many members there are.
package gossip

import (
	"maps"
	"math/rand/v2"
	"runtime/metrics"
	"slices"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
)

const (
	// Peers is how many members a member tells in a round.
	Peers = 3
	// Most is how many members it tells of in a round, those with the
	// freshest news.
	Most = 64
)

// Round picks whom the member at index self tells in a round, of n in the order of
// a view; nobody if self is negative. It picks among those 1, 4, 16 and so on behind
// it, or among all if they are few, so that a member keeps log n connections instead
// of n and news still take few rounds (the fingers of Chord, of which more would be
// told less often; Stoica et al., SIGCOMM 2001). Who that is changes with the view,
// so nobody is told in the first round of one.
func (s *State) Round(epoch uint64, self, n int) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.epoch
	if s.epoch = epoch; self < 0 || epoch != before {
		return nil
	}
	var picks []int
	for distance := 1; distance < n; {
		picks = append(picks, (self+distance)%n)
		if n <= 1+Peers {
			distance++
		} else {
			distance *= 4
		}
	}
	rand.Shuffle(len(picks), func(i, j int) { picks[i], picks[j] = picks[j], picks[i] })
	return picks[:min(len(picks), Peers)]
}

// State is what a node has heard. The zero value has heard nothing. Its methods
// may be called concurrently.
type State struct {
	mu    sync.Mutex
	round uint64
	epoch uint64            // of the view in that round
	news  map[string]rumour // by member
}

type rumour struct {
	load  *clusterpb.Load
	round uint64 // of this node, when it heard
}

// Tell begins a round and returns what to tell in it. own is the load of this
// member, self, and becomes the package's; nil on a client.
func (s *State) Tell(self string, own *clusterpb.Load) *clusterpb.Gossip {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.round++
	if own != nil {
		own.Member, own.Heartbeat = self, s.round
		s.note(own)
	}
	fresh := slices.SortedFunc(maps.Values(s.news), func(a, b rumour) int { return int(b.round) - int(a.round) })
	var m clusterpb.Gossip
	for _, r := range fresh[:min(len(fresh), Most)] {
		m.Loads = append(m.Loads, r.load)
	}
	return &m
}

func (s *State) note(l *clusterpb.Load) {
	if s.news == nil {
		s.news = make(map[string]rumour)
	}
	s.news[l.GetMember()] = rumour{l, s.round}
}

// Hear takes in what is newer than what it knows, of the members that are of
// interest; a node is not of interest to itself.
func (s *State) Hear(m *clusterpb.Gossip, interesting func(member string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range m.GetLoads() {
		if interesting(l.GetMember()) && l.GetHeartbeat() > s.news[l.GetMember()].load.GetHeartbeat() {
			s.note(l)
		}
	}
}

// Retain forgets the members for which keep is false.
func (s *State) Retain(keep func(member string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.news, func(id string, _ rumour) bool { return !keep(id) })
}

// All returns what it has heard, a load for each member.
func (s *State) All() []*clusterpb.Load {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*clusterpb.Load
	for _, r := range s.news {
		all = append(all, r.load)
	}
	return all
}

// Pressure is how many goroutines of this process wait for a processor, for each
// processor that it may use.
func Pressure() float64 {
	sample := []metrics.Sample{{Name: "/sched/goroutines/runnable:goroutines"}, {Name: "/sched/gomaxprocs:threads"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64()) / float64(sample[1].Value.Uint64())
}
