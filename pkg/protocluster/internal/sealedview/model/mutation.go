package model

import "iter"

// Mutation takes one protection out of the protocol. An explorer that does not
// find what goes wrong then has proved nothing.
type Mutation uint8

// The mutations. Name and Removes say what each does.
const (
	None Mutation = iota

	// Of leases.
	QuorumMinusOne
	NoLeaseCheck
	CrossEpochGrants
	ExclusionIgnored
	AnyMemberGrants
	PromisesForgotten
	GrantorRestarts

	// Of the rules of removal, and of other changes of the view.
	NoWait
	WaitTooShort
	MinorityExcludes
	NoR2
	R2WithoutWait
	NoR3
	JoinUnclosed
	BlindWrite
	EpochsGoBack
	NamesReused

	// Of the hand-off.
	NoBarrier
	BarrierPrevious
	BarrierHolding
	BarrierEarly
	BarrierNewer
	PruneHolding
	PruneMajority
	PruneJoiner
	PruneTooFar
	PruneNewer

	// Of leaving.
	LeaveHolding
	LeaveUninstalled
	LeavingOwns
	LeavingUnasked

	// Of the override.
	OverrideNoWait
	OverrideNoFreshness
	OverrideFreshened
	OverrideCancelIgnored
	OverrideTimerKept
	OverrideTimerCarried

	mutations // how many there are
)

// Mutations are all of them, in order.
func Mutations() iter.Seq[Mutation] {
	return func(yield func(Mutation) bool) {
		for m := None + 1; m < mutations; m++ {
			if !yield(m) {
				return
			}
		}
	}
}

// String is the name that the explorer's flag takes.
func (m Mutation) String() string { return m.text()[0] }

// Removes says which protection is gone, in one line.
func (m Mutation) Removes() string { return m.text()[1] }

func (m Mutation) text() [2]string {
	return [mutations][2]string{
		None: {"none", "nothing"},

		QuorumMinusOne:    {"quorum-minus-one", "a majority: one grantor less is enough, for leases and for removals"},
		NoLeaseCheck:      {"no-lease-check", "the lease: an activation dispatches without one"},
		CrossEpochGrants:  {"cross-epoch-grants", "grants for the installed epoch only: a grantor answers members of any"},
		ExclusionIgnored:  {"exclusion-ignored", "the exclusion: a grantor goes on granting to a member that it excluded"},
		AnyMemberGrants:   {"any-member-grants", "the voters fixed in the view: any member grants, a majority of their number is enough"},
		PromisesForgotten: {"promises-forgotten", "promises over all epochs: a grantor that installs a view forgets those it gave"},
		GrantorRestarts:   {"grantor-restarts", "new ids at each start: a grantor restarts as the same, without what it kept"},

		NoWait:           {"no-wait", "R1's wait: a member is removed while leases promised to it last"},
		WaitTooShort:     {"wait-too-short", "T1: the wait is a tick shorter than the lease, as when clocks drift further than rho"},
		MinorityExcludes: {"minority-excludes", "R1's majority: one grantor less is enough for a removal"},
		NoR2:             {"no-r2", "R2: a member is removed though the view before is not closed"},
		R2WithoutWait:    {"r2-without-wait", "R2's wait: what the grantors of the view before promised in it is not waited for"},
		NoR3:             {"no-r3", "R3: a member is removed as soon as the view is made"},
		JoinUnclosed:     {"join-unclosed", "the rule that a change needs the view before closed, for joins and leaves"},
		BlindWrite:       {"blind-write", "R4's compare-and-swap: who decided on the view before the newest writes all the same"},
		EpochsGoBack:     {"epochs-go-back", "epochs that only grow: a node installs an older view that reaches it late"},
		NamesReused:      {"names-reused", "new ids: an evicted member is admitted again as the same, with what it holds"},

		NoBarrier:       {"no-barrier", "the barrier: an owner activates at once"},
		BarrierPrevious: {"barrier-previous-only", "the history: it is awaited of the previous owner alone"},
		BarrierHolding:  {"barrier-while-holding", "release before barrier: a member gives its barrier while it still holds the identity"},
		BarrierEarly:    {"barrier-before-install", "install before barrier: a member gives its barrier for a view that it only heard of"},
		BarrierNewer:    {"barrier-of-newer-view", "the barrier's epoch: one of a newer view counts as one of this"},
		PruneHolding:    {"prune-while-holding", "complete_through: a view is complete once all have installed it, holding or not"},
		PruneMajority:   {"prune-majority", "complete_through: a view is complete once a majority of its members is"},
		PruneJoiner:     {"prune-without-joiner", "complete_through: a joiner that has not installed its view yet is not asked"},
		PruneNewer:      {"prune-by-newer-view", "complete_through: what members said of a newer view is used in an older one"},
		PruneTooFar:     {"prune-too-far", "complete_through: the owner in the complete view itself is forgotten too"},

		LeaveHolding:     {"leave-while-holding", "draining: a leaving member is taken out while it holds the identity"},
		LeaveUninstalled: {"leave-uninstalled", "draining in the right view: who does not know yet that it is leaving counts as drained"},
		LeavingOwns:      {"leaving-owns", "the place: a leaving member stays in placement until it is gone"},
		LeavingUnasked:   {"leaving-unasked", "the leaver's barrier: members that are leaving are not waited for"},

		OverrideNoWait:        {"override-no-wait", "the override's wait for T_store"},
		OverrideNoFreshness:   {"override-no-freshness", "evidence: a member serves however long it has not seen the store"},
		OverrideFreshened:     {"override-freshened", "the override's silence: reads that show it still count as evidence"},
		OverrideCancelIgnored: {"override-cancel-ignored", "the cancellation: who waits to override goes ahead after it was cancelled"},
		OverrideTimerKept:     {"override-timer-kept", "the timer's restart: after a cancellation a new override counts from the first"},
		OverrideTimerCarried:  {"override-timer-carried", "the timer's end with the view: one of the next view counts from the last"},
	}[m]
}
