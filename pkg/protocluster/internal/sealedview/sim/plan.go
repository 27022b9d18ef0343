package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// maxMachines bounds a cluster.
const maxMachines = 9

// Profile is a kind of trouble.
type Profile string

// The profiles.
const (
	// Faults are those of the network, processes, clocks and the store, as
	// long as that stays linearizable.
	Faults Profile = "faults"
	// Churn is Faults with members that come and go all the time.
	Churn Profile = "churn"
	// Majority is Faults with crashes of most members at once: overrides.
	Majority Profile = "majority"
	// Backup is Faults with a store that is restored from a backup, or whose
	// record is deleted, or filled with garbage. Everybody reaches it.
	Backup Profile = "backup"
	// Calm has no faults at all.
	Calm Profile = "calm"
)

// Lie is how hosts break their word to the protocol, so that tests see the
// referee notice.
type Lie string

// The lies.
const (
	// HeldBarriers are given for what is still held.
	HeldBarriers Lie = "barriers"
	// HeldPulls are answers that the identity asked for is not held, while it
	// is.
	HeldPulls Lie = "pulls"
	// HiddenSleep is that the node is not told that its clock stood still.
	HiddenSleep Lie = "sleep"
)

// Profiles are those that a seed chooses from.
func Profiles() []Profile { return []Profile{Faults, Churn, Majority, Backup} }

// plan is what a seed stands for.
type plan struct {
	profile    Profile
	grantors   sealedview.Mode
	params     sealedview.Params
	stagger    time.Duration
	machines   int // at the beginning
	identities int
	ppm        int // by which clocks are off, at most
	drain      time.Duration

	latency      time.Duration
	storeLatency time.Duration
	every        time.Duration // a fault, on average
	lasts        time.Duration // a fault, on average
	trouble      time.Duration // how long there are faults

	wrongWallClocks  bool
	stoppedWallClock bool // epochs grow by one, so that forks have the same
	pulls            bool // hosts ask for identities ahead of the barriers
	lie              Lie
}

// drawn is the plan of a seed.
func drawn(rng *rand.Rand, profile Profile, mode Mode) plan {
	p := plan{profile: profile, params: sealedview.Defaults(), grantors: sealedview.Council}
	if rng.IntN(5) == 0 {
		p.grantors = sealedview.Store
	}
	p.machines = 3 + rng.IntN(maxMachines-2)
	if rng.IntN(4) == 0 {
		p.machines = 1 + rng.IntN(3)
	}
	p.identities = 4 + rng.IntN(13)
	p.scale(rng)
	p.stagger = between(rng, 0, 100*time.Millisecond)
	p.drain = between(rng, 0, 100*time.Millisecond)
	p.ppm = []int{0, 1000, 10_000, 10_000}[rng.IntN(4)]
	p.latency = between(rng, 50*time.Microsecond, 5*time.Millisecond)
	p.storeLatency = between(rng, 200*time.Microsecond, 10*time.Millisecond)
	p.every = between(rng, 100*time.Millisecond, 2*time.Second)
	p.lasts = between(rng, 50*time.Millisecond, 2*time.Second)
	p.trouble = between(rng, 10*time.Second, 30*time.Second)
	p.wrongWallClocks = rng.IntN(2) == 0
	p.stoppedWallClock = rng.IntN(3) == 0
	p.pulls = rng.IntN(2) == 0
	switch profile {
	case Churn:
		p.every = between(rng, 30*time.Millisecond, 300*time.Millisecond)
		p.params.Batch = between(rng, 0, 20*time.Millisecond)
	case Majority:
		p.params.Store = between(rng, 2*p.params.Lease, 4*time.Second)
		p.trouble += 10 * time.Second
	case Backup:
		p.every = between(rng, 200*time.Millisecond, 3*time.Second)
	case Calm:
		p.trouble, p.grantors, p.params = time.Minute, sealedview.Council, sealedview.Defaults()
	}
	if mode == Liveness {
		p.trouble = p.trouble / 2
	}
	return p
}

// scale draws the times of the protocol: those it was designed with, or shorter
// leases and hastier suspicions, which no promise depends on.
func (p *plan) scale(rng *rand.Rand) {
	if rng.IntN(2) == 0 {
		p.params.Lease = between(rng, 200*time.Millisecond, time.Second)
		p.params.Renew = p.params.Lease / 4
		p.params.Margin = p.params.Lease / 50
		p.params.Suspect = p.params.Lease * 9 / 10
		p.params.Settle = p.params.Lease
	}
	if rng.IntN(3) == 0 {
		p.params.Suspect = between(rng, p.params.Renew+p.params.Renew/10, p.params.Suspect)
	}
}

func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)+1))
}

// String is one line about a plan.
func (p plan) String() string {
	return fmt.Sprintf("%s, %d machines, %s leases of %v, suspect %v, store %v, clocks ±%d ppm, latency %v, store %v, "+
		"a fault every %v for %v, %d identities, pulls %t",
		p.profile, p.machines, p.grantors, p.params.Lease, p.params.Suspect, p.params.Store, p.ppm, p.latency, p.storeLatency,
		p.every, p.lasts, p.identities, p.pulls)
}
