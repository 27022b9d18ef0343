package model

import "math/bits"

// gone is the installed view of a node that takes part in nothing any more: it
// is past all views.
const gone = 15

// settled is the age of a view whose predecessor cannot matter any more: R2 and
// R3 hold for whomever one likes, and will.
const settled = 15

// State is what the store and the nodes know. It has no pointers and can be
// compared. Epochs are counted from the oldest view that still matters, so the
// state of a search can name them lower than the state that Apply makes.
type State struct {
	until pairs  // what remains of grantors' promises, in ticks
	older pairs  // what remains of the part that was promised before the grantor installed its view
	marks pairs  // excluded, forgotten, counted
	views uint64 // the view of epoch e in byte e
	since uint32 // in digit e, of four bits: how long ago the store showed e and no override

	at   [Nodes]uint8 // the epoch each node has installed; 0 is none yet, or gone
	done [Nodes]uint8 // bit e: the node said that it holds nothing that view e assigns to another

	epoch    uint8 // of the view in the store
	made     uint8 // how long ago, up to what any rule asks for; or settled
	changes  uint8 // of the view, so far; if they are bounded
	active   Set   // nodes that hold an activation of the identity
	used     Set   // nodes that have been admitted at some time
	past     Set   // owners of the views that are not kept, since the last complete one
	wait     uint8 // 0, or one more than how long the override that is waited for is known
	override bool  // stands in the store
	forced   bool  // the newest view was made by an override, which closed the one before
	token    uint8 // the highest epoch in which the identity was activated
	fault    Fault // an invariant of steps that was broken on the way here
}

// Epoch is that of the newest view.
func (s *State) Epoch() int { return int(s.epoch) }

// View is the view of an epoch; empty if that is not kept.
func (s *State) View(epoch int) View { return View(s.views >> (8 * epoch)) }

// Newest is the view in the store.
func (s *State) Newest() View { return s.View(int(s.epoch)) }

// Installed is the epoch whose view node i goes by, or 0.
func (s *State) Installed(i int) int {
	if s.at[i] == gone {
		return 0
	}
	return int(s.at[i])
}

// Active are the nodes that hold an activation, with or without a lease.
func (s *State) Active() Set { return s.active }

// Promise is what remains of what grantor c promised member i, in ticks.
func (s *State) Promise(c, i int) int { return s.until.at(c, i) }

// Excluded reports whether grantor c gives i nothing in its installed view.
func (s *State) Excluded(c, i int) bool { return s.marks.has(excluded, c, i) }

// Barrier reports whether node i said of an epoch that it has installed it and
// holds nothing that it assigns to another.
func (s *State) Barrier(i, epoch int) bool { return s.done[i]>>epoch&1 == 1 }

// Overridden reports whether an override stands in the store.
func (s *State) Overridden() bool { return s.override }

// Evidence is how long ago the store showed an epoch without an override, in
// ticks, up to the horizon.
func (s *State) Evidence(epoch int) int { return int(s.since>>(4*epoch)) & 15 }

func (s *State) setView(epoch int, v View) {
	s.views = s.views&^(0xff<<(8*epoch)) | uint64(v)<<(8*epoch)
}

func (s *State) setEvidence(epoch, age int) {
	s.since = s.since&^(15<<(4*epoch)) | uint32(age)<<(4*epoch)
}

// installed is the epoch of a grantor: the store has always installed the newest.
func (s *State) installed(c int) int {
	if c == Store {
		return int(s.epoch)
	}
	return int(s.at[c])
}

// Hash mixes all of the state and the seed into 64 bits. It multiplies to 128
// bits and folds the halves, as wyhash does (Wang Yi, 2019).
func (s *State) Hash(seed uint64) uint64 {
	pack := func(a, b, c, d uint8) uint64 { return uint64(a) | uint64(b)<<8 | uint64(c)<<16 | uint64(d)<<24 }
	bit := func(b bool) uint8 {
		if b {
			return 1
		}
		return 0
	}
	nodes := pack(s.at[0], s.at[1], s.at[2], s.at[3]) | pack(s.done[0], s.done[1], s.done[2], s.done[3])<<32
	store := pack(s.epoch, s.made, s.changes, s.wait) | pack(bit(s.override), bit(s.forced), s.token, uint8(s.fault))<<32
	sets := pack(uint8(s.active), uint8(s.used), uint8(s.past), 0) | uint64(s.since)<<32
	h := fold(uint64(s.until)^seed^0xa0761d6478bd642f, uint64(s.older)^0xe7037ed1a0b428db)
	h = fold(h^uint64(s.marks), s.views^0x8ebc6af09c88c6e3)
	h = fold(h^nodes, store^0x589965cc75374cc3)
	return fold(h^sets, seed^0x1d8e4e27c47d124f)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
