//go:build integration

package integration_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// patience bounds what should happen soon, and is no promise.
const patience = 30 * time.Second

// The ports of a member, which has a host to itself.
const (
	memberPort   = 7000
	providerPort = 7001
)

// fleet is a cluster of processes, with its Consul and its referee. Its methods
// are for the test's goroutine.
type fleet struct {
	testing.TB // of what runs at present

	root    testing.TB // at whose end all processes end
	dir     string     // of all logs
	name    string     // of the cluster
	network string     // the first bytes of its hosts
	consul  *consultest.Servers
	referee *referee.Referee
	members []*process // by slot; nil if none runs there
	clients []*process
	started int
	rounds  int64 // of spin, in a millisecond
	stalls  *stalls
	gone    []*process // who have ended as they should
}

// size is how many processes a fleet has.
type size struct {
	servers, members, clients int
}

// launchFleet starts a fleet and returns once all have joined. Without servers
// it is one of an eventual cluster.
func launchFleet(t testing.TB, s size) *fleet {
	t.Helper()
	dir, err := os.MkdirTemp("", "chaos-") //nolint:usetesting // it is kept if the test fails
	if err != nil {
		t.Fatal(err)
	}
	pid := os.Getpid()
	f := &fleet{TB: t, root: t, dir: dir, name: filepath.Base(dir), network: fmt.Sprintf("127.%d.%d.", 64+pid/256%64, pid%256)}
	f.rounds = calibrate()
	f.stalls = watchStalls(t)
	t.Cleanup(func() { f.keep() })
	f.Logf("logs are in %s", dir)
	journal, err := os.Create(filepath.Join(dir, "journal.jsonl"))
	if err == nil {
		f.referee, err = referee.Start(t.Context(), 2*runtime.GOMAXPROCS(0), journal)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.referee.Close(); err != nil {
			t.Error(err)
		}
		_ = journal.Close()
	})
	if s.servers > 0 {
		var hosts []string
		for i := range s.servers {
			hosts = append(hosts, f.host(1+i))
		}
		f.consul = consultest.StartServers(t, dir, hosts...)
	}
	f.members, f.clients = make([]*process, s.members), make([]*process, s.clients)
	f.start(f.slots()...)
	for i := range f.clients {
		f.clients[i] = f.launch(nodeConfig{Process: fmt.Sprint("client-", i+1), Consul: f.agent(i), Bind: f.host(101+i) + fmt.Sprint(":", providerPort)})
		f.await(f.clients[i])
	}
	return f
}

func (f *fleet) host(n int) string { return f.network + fmt.Sprint(n) }

// agent is the address of the Consul that a node uses; "" if there is none.
func (f *fleet) agent(slot int) string {
	if f.consul == nil {
		return ""
	}
	return f.consul.Agents[slot%len(f.consul.Agents)].Address
}

// address is where the member of a slot listens.
func (f *fleet) address(slot int) string { return f.host(11+slot) + fmt.Sprint(":", memberPort) }

func (f *fleet) slots() []int {
	slots := make([]int, len(f.members))
	for i := range slots {
		slots[i] = i
	}
	return slots
}

// start starts the members of slots, at once, and returns when they have joined.
func (f *fleet) start(slots ...int) {
	f.Helper()
	for _, slot := range slots {
		f.launchMember(slot)
	}
	for _, slot := range slots {
		f.await(f.members[slot])
	}
}

// launchMember is start without waiting.
func (f *fleet) launchMember(slot int) {
	f.Helper()
	f.started++
	f.members[slot] = f.launch(nodeConfig{
		Process: fmt.Sprintf("member-%d.%d", slot+1, f.started), Host: f.host(11 + slot), Port: memberPort,
		Consul: f.agent(slot), Bind: f.host(11+slot) + fmt.Sprint(":", providerPort),
	})
}

func (f *fleet) launch(config nodeConfig) *process {
	f.Helper()
	config.Cluster, config.Referee = f.name, f.referee.Address()
	config.Seed = f.host(11) + fmt.Sprint(":", providerPort)
	return launch(f.root, f.dir, config)
}

func (f *fleet) await(p *process) {
	f.Helper()
	f.awaitWithin(p, patience)
}

func (f *fleet) awaitWithin(p *process, d time.Duration) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), d)
	defer cancel()
	if err := p.join(ctx); err != nil {
		f.Fatal(err)
	}
}

// kill ends the member of a slot without warning.
func (f *fleet) kill(slot int) {
	f.members[slot].kill()
	f.dismiss(slot)
}

// terminate has the member of a slot leave.
func (f *fleet) terminate(slot int) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	if err := f.members[slot].terminate(ctx); err != nil {
		f.Errorf("leave: %v", err)
	}
	f.dismiss(slot)
}

func (f *fleet) dismiss(slot int) {
	f.gone = append(f.gone, f.members[slot])
	f.members[slot] = nil
}

// stop halts the member of a slot.
func (f *fleet) stop(slot int) {
	f.Helper()
	if err := f.members[slot].stop(f.Context()); err != nil {
		f.Fatal(err)
	}
}

// resume undoes stop.
func (f *fleet) resume(slot int) { f.referee.Stand(f.members[slot].resume()) }

// nodes are all processes that run.
func (f *fleet) nodes() []*process {
	var nodes []*process
	for _, p := range slices.Concat(f.members, f.clients) {
		if p != nil {
			nodes = append(nodes, p)
		}
	}
	return nodes
}

// cut has each process cut what it is given, and no more; cuts may have no entry
// for one. It returns when that is so, but for those that are halted.
func (f *fleet) cut(by map[*process]cuts) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	var telling sync.WaitGroup
	for _, p := range f.nodes() {
		c := by[p]
		if c == nil {
			c = cuts{}
		}
		if p.halted != 0 {
			continue
		}
		telling.Go(func() {
			if _, err := p.tell(ctx, order{Cut: &c}); err != nil {
				f.Error(err)
			}
		})
	}
	telling.Wait()
}

// looks are what the nodes that run see.
func (f *fleet) looks(ctx context.Context) (map[*process]report, error) {
	looks := make(map[*process]report)
	var (
		mu     sync.Mutex
		faults []error
		asking sync.WaitGroup
	)
	for _, p := range f.nodes() {
		asking.Go(func() {
			r, err := p.tell(ctx, order{Look: &struct{}{}})
			mu.Lock()
			defer mu.Unlock()
			looks[p], faults = r, append(faults, err)
		})
	}
	asking.Wait()
	return looks, errors.Join(faults...)
}

// agree waits until all nodes go by one view, of all members that run and no
// others, and returns its epoch. The error says what they see.
func (f *fleet) agree(ctx context.Context) (epoch uint64, err error) {
	for {
		looks, err := f.looks(ctx)
		if err == nil {
			if epoch, err = f.oneView(looks); err == nil {
				return epoch, nil
			}
		}
		if !background.Sleep(ctx, 10*time.Millisecond) {
			return 0, err
		}
	}
}

// whole is agree with patience.
func (f *fleet) whole() (epoch uint64) {
	f.Helper()
	return f.wholeWithin(patience)
}

func (f *fleet) wholeWithin(d time.Duration) (epoch uint64) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), d)
	defer cancel()
	epoch, err := f.agree(ctx)
	if err != nil {
		f.dump()
		f.Fatal(err)
	}
	return epoch
}

// oneView returns the epoch that all nodes are in, of a view of all members that
// run, or says what they see.
func (f *fleet) oneView(looks map[*process]report) (epoch uint64, err error) {
	var want []string
	for slot, p := range f.members {
		if p != nil {
			want = append(want, f.address(slot))
		}
	}
	seen := make(map[string][]string)
	for p, r := range looks {
		text := f.viewText(r.View)
		seen[text] = append(seen[text], p.config.Process)
		epoch = max(epoch, r.View.Epoch)
	}
	whole := f.viewText(&cluster.View{Epoch: epoch, Members: upAt(want)})
	if len(seen) == 1 && seen[whole] != nil {
		return epoch, nil
	}
	var text strings.Builder
	for _, view := range slices.Sorted(maps.Keys(seen)) {
		slices.Sort(seen[view])
		fmt.Fprintf(&text, "\n\t%s: %v", view, seen[view])
	}
	return 0, fmt.Errorf("the nodes see, instead of %s:%s", whole, text.String())
}

func upAt(addresses []string) []cluster.Member {
	var members []cluster.Member
	for _, a := range addresses {
		members = append(members, cluster.Member{Address: a, Status: cluster.Up})
	}
	return members
}

// viewText is what a view comes to. The epochs of an eventual cluster are each
// node's own.
func (f *fleet) viewText(v *cluster.View) string {
	var members []string
	for _, m := range v.Members {
		text := strings.TrimSuffix(strings.TrimPrefix(m.Address, f.network), fmt.Sprint(":", memberPort))
		if m.Status != cluster.Up {
			text += " " + m.Status.String()
		}
		members = append(members, text)
	}
	slices.Sort(members)
	if f.consul == nil {
		return fmt.Sprint(members)
	}
	return fmt.Sprintf("epoch %d of %v", v.Epoch, members)
}

// tell gives a process an order that takes it two minutes at most.
func (f *fleet) tell(p *process, o order) report {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), 2*time.Minute)
	defer cancel()
	r, err := p.tell(ctx, o)
	if err != nil {
		f.dump()
		f.Fatal(err)
	}
	return r
}

// sweep has a client ask identities until all have answered.
func (f *fleet) sweep(identities []string, patience time.Duration) *swept {
	f.Helper()
	return f.tell(f.clients[0], order{Sweep: &sweep{Identities: identities, Patience: patience}}).Swept
}

// names are n identities of a group.
func names(group string, n int) []string {
	identities := make([]string, n)
	for i := range identities {
		identities[i] = fmt.Sprintf("%s-%d", group, i)
	}
	return identities
}

// load has every client ask identities until halt.
func (f *fleet) load(l load) {
	f.Helper()
	for _, p := range f.clients {
		f.tell(p, order{Load: &l})
	}
}

// halt ends the load, and returns what became of the requests once the referee
// has heard of all.
func (f *fleet) halt() loaded {
	f.Helper()
	var total loaded
	for _, p := range f.clients {
		r := f.tell(p, order{Halt: &struct{}{}})
		total.Answered += r.Loaded.Answered
		total.NotExecuted += r.Loaded.NotExecuted
		total.Refused += r.Loaded.Refused
		total.Unknown += r.Loaded.Unknown
		total.Latencies = append(total.Latencies, r.Loaded.Latencies...)
	}
	f.settle()
	return total
}

// settle waits until the referee has heard what the nodes that run have told.
func (f *fleet) settle() {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	looks, err := f.looks(ctx)
	if err != nil {
		f.Fatal(err)
	}
	for p, r := range looks {
		if err := f.referee.Settle(ctx, p.config.Process, r.Noted); err != nil {
			f.Error(err)
		}
	}
}

// keep keeps the logs of a run that failed, with what every process is at.
func (f *fleet) keep() {
	if !f.Failed() && os.Getenv("CHAOS_KEEP") == "" {
		_ = os.RemoveAll(f.dir)
		return
	}
	f.Logf("the logs of all processes are in %s", f.dir)
}

// dump has every process write its goroutines to its log.
func (f *fleet) dump() {
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	for _, p := range f.nodes() {
		if p.halted == 0 {
			_, _ = p.tell(ctx, order{Dump: &struct{}{}}) // it may be what fails
		}
	}
}
