package model

import "fmt"

// Fault names an invariant that is broken.
type Fault uint8

// The invariants. The first two and the last two are of states, the others of
// steps: those are checked by Apply, and by an Expander if Config.Audit is set.
const (
	NoFault       Fault = iota
	TwoServe            // at most one node can dispatch for the identity
	EvictedServes       // nobody outside the newest view can
	PromiseShrank       // until[m] only shrinks as time passes
	EpochShrank         // a node's epochs only grow, and so does the store's
	ExclusionLost       // an exclusion lasts as long as its view is installed
	LeaseRemoved        // whom R1 to R3 let go has no lease and gets none
	TokenShrank         // a later activation has an epoch that is not lower
)

// String is what went wrong.
func (f Fault) String() string {
	return [...]string{
		"none",
		"two nodes can dispatch for the identity",
		"a node outside the newest view can dispatch for the identity",
		"a promise shrank",
		"an epoch went back",
		"an exclusion was lost",
		"a member was removed that still has a lease",
		"an activation has a lower epoch than an earlier one",
	}[f]
}

// Check returns the invariant that the state breaks, if any.
func (m *Model) Check(s *State) Fault {
	if m.config.Audit && s.fault == NoFault && m.evictedLease(s) {
		return LeaseRemoved
	}
	if s.active == 0 {
		return s.fault
	}
	serving := m.Serving(s)
	switch {
	case serving.Len() > 1:
		return TwoServe
	case s.fault != NoFault:
		return s.fault
	case serving&^s.Newest().Members() != 0 && m.mutation == None:
		return EvictedServes
	}
	return NoFault
}

// faultOf returns the invariant of steps that the step from s to t breaks, if
// any. It asks what must follow from the rules, not whether they were followed.
// A mutation that breaks nothing but these has to break exclusion as well to
// count as found, so they are not asked then.
func (m *Model) faultOf(s *State, step Step, t *State) Fault {
	if m.mutation != None {
		return s.fault
	}
	switch {
	case step.Kind != Tick && shrank(s.until, t.until):
		return PromiseShrank
	case t.epoch < s.epoch || epochShrank(s, t):
		return EpochShrank
	case step.Kind != Install && step.Kind != Change && step.Kind != Force && (s.marks&^t.marks)&(everyPair*excluded) != 0:
		return ExclusionLost
	case step.Kind == Activate && s.at[step.Node] < s.token:
		return TokenShrank
	case step.Kind == Change && m.removedWithLease(s, step.Remove):
		return LeaseRemoved
	}
	return s.fault
}

// shrank reports whether a digit of after is lower than before's.
func shrank(before, after pairs) bool {
	for shift := 0; shift < 3*grantors*Nodes; shift += 3 {
		if after>>shift&7 < before>>shift&7 {
			return true
		}
	}
	return false
}

func epochShrank(s, t *State) bool {
	for i := range Nodes {
		if t.at[i] < s.at[i] {
			return true
		}
	}
	return false
}

// removedWithLease reports whether one of removed could still dispatch, now or
// later, under the view that it goes by. Who leaves by itself may have a lease,
// but nothing to dispatch to.
func (m *Model) removedWithLease(s *State, removed Set) bool {
	for r := range Nodes {
		if removed.Has(r) && m.Lease(s, r) && !m.MayWithdraw(s, r) {
			return true
		}
	}
	return false
}

// evictedLease reports whether a node outside the newest view has a lease, other
// than one that left by itself.
func (m *Model) evictedLease(s *State) bool {
	for i := range m.config.Nodes {
		if !s.Newest().Members().Has(i) && m.Lease(s, i) && !s.View(int(s.at[i])).Leaving().Has(i) {
			return true
		}
	}
	return false
}

// Describe names a fault with its nodes.
func (m *Model) Describe(s *State, f Fault) string {
	if f == TwoServe {
		return fmt.Sprintf("%s: nodes %v", f, m.Serving(s).list())
	}
	return f.String()
}
