//go:build integration

package integration_test

import (
	"math"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/faultnet"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// nemesis is a fault that a cluster of processes has to bear.
type nemesis struct {
	name string
	// strike does the harm, lasts as long as that, and heals it.
	strike func(b *bout)
	// keeps says that no activation may end by it.
	keeps bool
	// long says that it takes minutes, and is for long runs.
	long bool
}

// unsuspected is how long a member may be silent, and be late to begin with,
// without being accused.
const unsuspected = 500 * time.Millisecond

// nemeses are what TestChaos does, each at least once.
func nemeses() []nemesis {
	return []nemesis{
		{name: "kill a member", strike: func(b *bout) { b.killed(1) }},
		{name: "kill two members", strike: func(b *bout) { b.killed(2) }},
		{name: "pause a member for a moment", strike: func(b *bout) { b.paused(1, 100*time.Millisecond, unsuspected) }, keeps: true},
		{name: "pause a member for about a lease", strike: func(b *bout) { b.paused(1, unsuspected, 3*time.Second) }},
		{name: "pause a member for long", strike: func(b *bout) { b.paused(1, 5*time.Second, b.long) }},
		{name: "pause most members", strike: func(b *bout) { b.paused(3, 500*time.Millisecond, 4*time.Second) }},
		{name: "cut a member from Consul", strike: func(b *bout) { b.cutFromConsul(1) }, keeps: true},
		{name: "cut most members from Consul", strike: func(b *bout) { b.cutFromConsul(3) }, keeps: true},
		{name: "cut two members from three", strike: (*bout).split},
		{name: "cut two members and a client from three and the other", strike: (*bout).splitWithClients},
		{name: "start a member while another and a client are cut off", strike: (*bout).startBeyondCut},
		{name: "cut one way between two members", strike: func(b *bout) { b.oneWay(1) }},
		{name: "cut one way to a member", strike: func(b *bout) { b.oneWay(len(b.members)) }},
		{name: "cut a member from everything", strike: (*bout).isolate},
		{name: "kill three members", strike: func(b *bout) { b.killMost(3) }, long: true},
		{name: "kill all members", strike: func(b *bout) { b.killMost(len(b.members)) }, long: true},
		{name: "restart one member after another", strike: (*bout).rollingRestart},
		{name: "kill Consul's leader", strike: (*bout).killLeader, keeps: true},
		{name: "kill all of Consul", strike: func(b *bout) { b.withoutConsul(30 * time.Second) }, keeps: true},
		{name: "kill a member while there is no Consul", strike: (*bout).killWithoutConsul},
		{name: "restore Consul from a backup", strike: (*bout).restoreBackup},
		{name: "burn three times the processors", strike: (*bout).burn},
	}
}

// about is a time between two others, of whose scale it is evenly distributed.
func (b *bout) about(least, most time.Duration) time.Duration {
	scale := math.Log(float64(most) / float64(least))
	return time.Duration(float64(least) * math.Exp(scale*b.rng.Float64())).Round(time.Millisecond)
}

// hold lets the harm last.
func (b *bout) hold(d time.Duration) {
	b.Logf("for %v", d)
	background.Sleep(b.Context(), d)
}

// some are n different slots.
func (b *bout) some(n int) []int { return b.rng.Perm(len(b.members))[:n] }

func (b *bout) killed(n int) {
	slots := b.some(n)
	b.Logf("kill members %v", numbers(slots))
	for _, slot := range slots {
		b.kill(slot)
	}
	b.hold(b.about(500*time.Millisecond, 4*time.Second))
	b.start(slots...)
}

func (b *bout) paused(n int, least, most time.Duration) {
	slots := b.some(n)
	b.Logf("pause members %v", numbers(slots))
	for _, slot := range slots {
		b.stop(slot)
	}
	b.hold(b.about(least, most))
	for _, slot := range slots {
		b.resume(slot)
	}
}

func (b *bout) cutFromConsul(n int) {
	slots := b.some(n)
	b.Logf("cut members %v from Consul", numbers(slots))
	by := make(map[*process]cuts)
	for _, slot := range slots {
		by[b.members[slot]] = cuts{b.agent(slot): faultnet.Both}
	}
	b.cut(by)
	b.hold(b.about(2*time.Second, 8*time.Second))
	b.cut(nil)
}

// between has each of one side cut from each of the other, in a direction as seen
// from the one.
func (b *bout) between(by map[*process]cuts, one, other []int, d faultnet.Direction) {
	reverse := map[faultnet.Direction]faultnet.Direction{faultnet.Out: faultnet.In, faultnet.In: faultnet.Out, faultnet.Both: faultnet.Both}
	add := func(from, to int, d faultnet.Direction) {
		p := b.members[from]
		if by[p] == nil {
			by[p] = make(cuts)
		}
		by[p][b.address(to)] |= d
	}
	for _, i := range one {
		for _, k := range other {
			if i != k {
				add(i, k, d)
				add(k, i, reverse[d])
			}
		}
	}
}

func (b *bout) split() {
	slots := b.some(len(b.members))
	b.Logf("cut members %v from %v", numbers(slots[:2]), numbers(slots[2:]))
	by := make(map[*process]cuts)
	b.between(by, slots[:2], slots[2:], faultnet.Both)
	b.cut(by)
	b.hold(b.about(2*time.Second, 8*time.Second))
	b.cut(nil)
}

// splitWithClients leaves two members alone with a client that hears of no other
// view: they get requests for as long as the client believes in them.
func (b *bout) splitWithClients() {
	slots := b.some(len(b.members))
	b.leaveAlone(slots[:2], slots[2:])
	b.hold(b.about(2*time.Second, 8*time.Second))
	b.cut(nil)
}

// leaveAlone cuts a few members and client 2 from most members and client 1, and
// from Consul.
func (b *bout) leaveAlone(few, most []int) {
	b.Helper()
	b.Logf("cut members %v and client 2 from members %v and client 1, and from Consul", numbers(few), numbers(most))
	by := map[*process]cuts{b.clients[0]: {}, b.clients[1]: {b.agent(1): faultnet.Both}}
	b.between(by, few, most, faultnet.Both)
	for _, slot := range few {
		by[b.members[slot]][b.agent(slot)] = faultnet.Both
		by[b.clients[0]][b.address(slot)] = faultnet.Both
	}
	for _, slot := range most {
		by[b.clients[1]][b.address(slot)] = faultnet.Both
	}
	b.cut(by)
}

// startBeyondCut has a member join, and take identities from another, that may
// not have heard of it when it is cut off and has a lease for a while yet.
func (b *bout) startBeyondCut() {
	slots := b.some(len(b.members))
	joiner, alone, others := slots[0], slots[1:2], slots[2:]
	b.kill(joiner)
	b.whole()
	b.launchMember(joiner)
	b.hold(b.about(50*time.Millisecond, 300*time.Millisecond))
	b.leaveAlone(alone, append([]int{joiner}, others...))
	b.await(b.members[joiner])
	b.hold(b.about(500*time.Millisecond, 2*time.Second))
	b.cut(nil)
}

func (b *bout) oneWay(n int) {
	slots := b.some(len(b.members))
	b.Logf("member %v does not hear members %v", numbers(slots[:1]), numbers(slots[1:min(n+1, len(slots))]))
	by := make(map[*process]cuts)
	b.between(by, slots[:1], slots[1:min(n+1, len(slots))], faultnet.In)
	b.cut(by)
	b.hold(b.about(2*time.Second, 8*time.Second))
	b.cut(nil)
}

// isolate cuts a member from members, clients and Consul.
func (b *bout) isolate() {
	slots := b.some(len(b.members))
	b.Logf("cut member %v from everything", numbers(slots[:1]))
	by := make(map[*process]cuts)
	b.between(by, slots[:1], slots[1:], faultnet.Both)
	by[b.members[slots[0]]][b.agent(slots[0])] = faultnet.Both
	for _, client := range b.clients {
		by[client] = cuts{b.address(slots[0]): faultnet.Both}
	}
	b.cut(by)
	b.hold(b.about(2*time.Second, 8*time.Second))
	b.cut(nil)
}

func (b *bout) rollingRestart() {
	for _, slot := range b.some(len(b.members)) {
		b.terminate(slot)
		b.start(slot)
	}
}

func (b *bout) killLeader() {
	leader := b.consul.Leader(patience)
	if leader == nil {
		b.Fatal("Consul has no leader")
	}
	leader.Kill()
	b.hold(b.about(time.Second, 5*time.Second))
	b.consul.Restart()
}

func (b *bout) withoutConsul(d time.Duration) {
	b.consul.Kill()
	b.hold(d)
	b.consul.Restart()
}

func (b *bout) killWithoutConsul() {
	slots := b.some(1)
	b.consul.Kill()
	b.hold(time.Second)
	b.Logf("kill members %v", numbers(slots))
	b.kill(slots[0])
	b.hold(b.about(3*time.Second, 6*time.Second))
	b.consul.Restart()
	b.start(slots...)
}

// restoreBackup takes Consul back to before the latest views. A server that restores a
// backup while another catches up may wait for ever, and Consul bounds that by nothing:
// it is killed then, as people would.
func (b *bout) restoreBackup() {
	leader := b.consul.Leader(patience)
	if leader == nil {
		b.Fatal("Consul has no leader")
	}
	backup := leader.Get("snapshot")
	slots := b.some(1)
	b.Logf("kill member %v, and restore what was before that", numbers(slots))
	b.kill(slots[0])
	b.start(slots[0])
	if !leader.TryPut("snapshot", backup, patience) {
		b.Log("Consul does not come to the end of it: kill its leader")
		leader.Kill()
		b.consul.Restart()
	}
	b.hold(b.about(500*time.Millisecond, 3*time.Second))
}

// burn has the identities compute for three times as long as there is time, and
// no lease must lapse, unless the machine has others to serve.
func (b *bout) burn() {
	b.burners(3)
	lapsed, used := b.lapses(), b.usage()
	b.hold(10 * time.Second)
	others := b.usage().others(used)
	b.quench()
	lapses := b.lapses() - lapsed
	b.Logf("%d leases have lapsed, while others used %.0f %% of the machine", lapses, 100*others)
	if lapses > 0 && others < toOthers {
		b.Errorf("leases do not survive load")
	}
}

// override is how long it takes until a view of which most members are gone is
// given up, and some more.
const override = 105 * time.Second

// killMost kills so many that nobody is left to say who is gone, and starts them
// again at once.
func (b *bout) killMost(n int) {
	slots := b.some(n)
	b.Logf("kill members %v", numbers(slots))
	for _, slot := range slots {
		b.kill(slot)
	}
	for _, slot := range slots {
		b.launchMember(slot)
	}
	for _, slot := range slots {
		b.awaitWithin(b.members[slot], override)
	}
	b.wholeWithin(override)
}

// numbers are slots as people count them.
func numbers(slots []int) []int {
	n := make([]int, len(slots))
	for i, slot := range slots {
		n[i] = slot + 1
	}
	return n
}
