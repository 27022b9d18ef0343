//go:build integration

package integration_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// brief is how long a run of CI is at most.
const brief = 10 * time.Minute

// What must be true after every nemesis has healed.
const (
	toAgree  = 2 * time.Second // all nodes go by one view
	toAnswer = 3 * time.Second // and then every identity answers
)

// toOthers is the share of the machine that others may use, if the time that
// something takes is to be the test's to judge.
const toOthers = 0.15

// bout is one nemesis against a fleet.
type bout struct {
	*fleet

	rng    *rand.Rand
	long   time.Duration // the longest pause
	burner *process
}

// TestChaos has nemeses torment a cluster of processes, for as long as the
// environment variable CHAOS says, by default 5m; each of them at least once. The
// order, and what each does to whom, is CHAOS_SEED's. CHAOS_ONLY leaves only those
// whose names contain that.
func TestChaos(t *testing.T) {
	duration, err := time.ParseDuration(cmp.Or(os.Getenv("CHAOS"), "5m"))
	if err != nil {
		t.Fatalf("CHAOS: %v; write it as 1h", err)
	}
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("CHAOS_SEED"), fmt.Sprint(rand.Uint64())), 10, 64)
	if err != nil {
		t.Fatalf("CHAOS_SEED: %v", err)
	}
	t.Logf("the same again, as far as time allows: CHAOS=%v CHAOS_SEED=%d", duration, seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	long := 10 * time.Second
	if duration > brief {
		long = 30 * time.Second
	}
	begin := time.Now()
	f := launchFleet(t, size{servers: 3, members: 5, clients: 2})
	only := os.Getenv("CHAOS_ONLY")
	all := slices.DeleteFunc(nemeses(), func(n nemesis) bool {
		return !strings.Contains(n.name, only) || n.long && only == "" && duration <= brief
	})
	order := rng.Perm(len(all))
	for i := 0; i < len(all) || time.Since(begin) < duration; i++ {
		if i >= len(order) {
			order = append(order, rng.IntN(len(all)))
		}
		n := all[order[i]]
		ok := t.Run(fmt.Sprintf("%03d %s", i, n.name), func(t *testing.T) {
			b := &bout{fleet: f, rng: rand.New(rand.NewPCG(seed, uint64(1+i))), long: long}
			f.TB = t
			defer func() { f.TB = f.root }()
			defer endWithin(longestBout, n.name)()
			b.fight(n, names(fmt.Sprint("bout-", i), 24))
		})
		if !ok {
			f.dump()
			break // what comes next would be about what is broken now
		}
	}
	v := f.referee.Judge()
	t.Logf("%d identities had %d activations, which were given %d messages; %d replies, %d stragglers, %d violations",
		v.Identities, v.Activations, v.Entries, v.Replies, len(v.Stragglers), len(v.Violations))
}

// longestBout is more than any bout takes; the longest waits for two overrides.
const longestBout = 10 * time.Minute

// endWithin ends the program with all stacks unless what it returns is called in time:
// go test has no bound here, as chaos lasts for as long as it is told to.
func endWithin(d time.Duration, what string) (ended func() bool) {
	return time.AfterFunc(d, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("chaos: %q has not ended within %v", what, d))
	}).Stop
}

// fight lets a nemesis strike while clients ask identities that nobody has asked
// before, and checks what is promised.
func (b *bout) fight(n nemesis, identities []string) {
	b.Helper()
	if n.keeps {
		b.quiet()
	}
	b.load(load{Identities: identities, Users: len(identities), Pause: 150 * time.Millisecond, Timeout: 4 * time.Second, Most: 100})
	before := b.sweep(identities, patience)
	b.answered(before)
	lapsed, used := b.lapses(), b.usage()
	n.strike(b)
	ctx, took, cancel := b.stalls.within(b.Context(), toAgree)
	defer cancel()
	if _, err := b.agree(ctx); err != nil {
		b.Errorf("%v after healing, %v", took().Round(time.Millisecond), err)
	}
	agreed := took()
	after := b.sweep(identities, toAnswer)
	b.answered(after)
	total := b.halt()
	b.Logf("one view %v after healing; %d requests were answered, %d not executed, %d refused, %d of unknown outcome",
		agreed.Round(time.Millisecond), total.Answered, total.NotExecuted, total.Refused, total.Unknown)
	if total.Answered == 0 {
		b.Error("no request was answered")
	}
	if n.keeps {
		b.kept(before, after, total, b.lapses() > lapsed && b.usage().others(used) > toOthers)
	}
	b.judge()
}

// quiet waits until the view has not changed for a while: what the nemesis before
// has begun, such as to do without a member, may end after that has healed.
func (b *bout) quiet() {
	b.Helper()
	const while = 1500 * time.Millisecond // more than a lease
	for before := uint64(0); ; {
		now := b.whole()
		if now == before {
			return
		}
		before = now
		background.Sleep(b.Context(), while)
	}
}

// answered checks a sweep.
func (b *bout) answered(s *swept) {
	b.Helper()
	for _, identity := range slices.Sorted(maps.Keys(s.Errors)) {
		b.Errorf("%s does not answer: %s", identity, s.Errors[identity])
	}
}

// kept checks that no activation has ended between two sweeps, and no request
// failed. If a lease has lapsed because the machine was busy with others, that is
// only noted: a member that gets no processor for half a second is not there.
func (b *bout) kept(before, after *swept, total loaded, busy bool) {
	b.Helper()
	fault := b.Errorf
	if busy {
		fault = b.Logf
	}
	if lost := changed(before, after); lost > 0 {
		fault("%d of %d identities lost their state", lost, len(before.Activations))
	}
	if failed := total.NotExecuted + total.Unknown; failed > 0 {
		fault("%d requests failed", failed)
	}
}

// changed is how many identities have another activation.
func changed(before, after *swept) (n int) {
	for identity, name := range before.Activations {
		if after.Activations[identity] != name {
			n++
		}
	}
	return n
}

// judge checks what the referee knows, and what nodes say of themselves.
func (f *fleet) judge() {
	f.Helper()
	verdict := f.referee.Judge()
	for _, v := range verdict.Violations {
		f.Error(v)
	}
	for _, clash := range f.referee.Clashes() {
		f.Error(clash)
	}
	history := f.referee.History()
	for _, err := range checkHistory(f.dir, history) {
		f.Error(err)
	}
	for _, o := range history {
		if o.Outcome == referee.Misrouted {
			f.Errorf("%s of %s: %s", o.Verb, o.Identity, o.Error)
		}
	}
	looks, err := f.looks(f.Context())
	if err != nil {
		f.Error(err)
	}
	for p, r := range looks {
		if r.Stats.Violations > 0 {
			f.Errorf("%s noticed %d violations of the protocol", p.config.Process, r.Stats.Violations)
		}
	}
	for _, p := range slices.Concat(f.nodes(), f.gone) {
		for _, alarm := range p.alarms() {
			f.Error(alarm)
		}
	}
}

// lapses is how often a lease has lapsed on members that run.
func (f *fleet) lapses() (n uint64) {
	f.Helper()
	looks, err := f.looks(f.Context())
	if err != nil {
		f.Error(err)
	}
	for _, r := range looks {
		n += r.Stats.Lapses
	}
	return n
}

// burners have so many times more handlers compute than can run at a time, until
// quench.
func (b *bout) burners(times int) {
	b.Helper()
	b.burner = b.launch(nodeConfig{Process: fmt.Sprint("burner-", b.started), Consul: b.agent(0)})
	b.started++
	b.await(b.burner)
	users := times * len(b.members) * 2 * runtime.GOMAXPROCS(0)
	l := load{Identities: names(b.burner.config.Process, users), Users: users, Timeout: time.Minute, Burn: 20 * b.rounds}
	b.tell(b.burner, order{Load: &l})
}

// quench ends what burners began, and says how much was burned.
func (b *bout) quench() {
	b.Helper()
	r := b.tell(b.burner, order{Halt: &struct{}{}})
	if r.Loaded.Answered == 0 {
		b.Error("nothing was burned")
	}
	b.Logf("%d times 20 ms of processor time were burned", r.Loaded.Answered)
	b.burner.kill()
}
